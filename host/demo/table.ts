import type { DemoView, UnitRow } from './demo-view.js';
import type { Kind } from './happenings.js';
import type { Paint, Shade } from './paint.js';
import { cut, fit, plain, wrap } from './text-width.js';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly side: 'left' | 'right';
  readonly text: (row: UnitRow) => string;
  readonly shade?: (row: UnitRow) => Shade | undefined;
}

/** Below this the last message gets a line of its own under its row. */
const LEAST_MESSAGE = 40;
/** From here on there is room for the names of a chain. */
const WIDE = 130;
const LAST = 'LAST MESSAGE';
const GAP = '  ';
const MARGIN = ' ';
/** Title, places, head of the table, totals and keys, and the empty lines between. */
const FIXED_LINES = 7;
const LEAST_EVENTS = 7;
/** Lines of one event; reasons are long. */
const EVENT_LINES = 3;

const MARKS: Readonly<Record<Kind, readonly [string, Shade]>> = {
  swap: ['✓ swapped', 'good'],
  refusal: ['✗ refused', 'bad'],
  fault: ['! fault', 'warn'],
  key: ['› key', 'accent'],
};

/** The whole screen, a string a line, none wider than `view.columns`. A pure function of what it is given. */
export function renderDemo(view: DemoView, paint: Paint): string[] {
  const inner = Math.max(20, view.columns - 2);
  const columns = columnsFor(view.rows, inner);
  const used = columns.reduce((sum, { width }) => sum + width + GAP.length, 0);
  const left = inner - used;
  const places = view.places.slice(
    0,
    Math.max(1, view.lines - FIXED_LINES - view.rows.length * 2 - LEAST_EVENTS),
  );
  const fixed = FIXED_LINES + places.length;
  const below = left < LEAST_MESSAGE && view.lines >= fixed + view.rows.length * 2 + LEAST_EVENTS;
  const lines = [title(view, inner, paint), ...places.map(place => placeLine(place, inner, paint)), ''];
  const heads = columns.map(({ title: head, width, side }) => fit(head, width, side)).join(GAP);
  lines.push(paint('head', fit(below || left < LAST.length ? heads : `${heads}${GAP}${LAST}`, inner)));
  for (const row of view.rows) {
    const cellsOfRow = columns.map(({ width, side, text, shade }) => {
      const cell = fit(text(row), width, side);
      const as = shade?.(row);
      return as === undefined ? cell : paint(as, cell);
    });
    const message = below || left < LAST.length ? '' : GAP + paint('dim', cut(plain(row.message), left));
    lines.push(cellsOfRow.join(GAP) + message);
    if (below) lines.push(paint('dim', cut(`${GAP}${plain(row.message)}`, inner)));
  }
  lines.push('', totals(view, inner, paint), '');
  const room = view.lines - lines.length - 2;
  const events = eventLines(view, inner, room, paint);
  lines.push(...events);
  while (lines.length < view.lines - 1) lines.push('');
  lines.push(keys(inner, paint));
  return lines.slice(-view.lines).map(line => (line === '' ? line : MARGIN + line));
}

function columnsFor(rows: readonly UnitRow[], inner: number): Column[] {
  const widest = (title: string, most: number, of: (row: UnitRow) => string): number =>
    Math.min(most, Math.max(title.length, ...rows.map(row => of(row).length)));
  const columns: Column[] = [
    {
      title: 'DEVICE',
      width: widest('DEVICE', Math.min(24, inner), ({ device }) => device),
      side: 'left',
      text: ({ device }) => device,
      shade: () => 'strong',
    },
    {
      title: 'PLUGIN',
      width: widest('PLUGIN', inner < WIDE ? 28 : 34, ({ plugin }) => plugin),
      side: 'left',
      text: ({ plugin }) => plugin,
    },
    { title: 'MSG/S', width: 6, side: 'right', text: ({ perSecond }) => perSecond.toFixed(1) },
    { title: 'P50 ms', width: 6, side: 'right', text: ({ p50Ms }) => p50Ms.toFixed(1) },
    { title: 'P99 ms', width: 6, side: 'right', text: ({ p99Ms }) => p99Ms.toFixed(1) },
    {
      title: 'FAULTS',
      width: 6,
      side: 'right',
      text: ({ faults }) => String(faults),
      shade: ({ faults }) => (faults > 0 ? 'warn' : undefined),
    },
    {
      title: 'BREAKER',
      width: 9,
      side: 'left',
      text: ({ breaker }) => breaker,
      shade: ({ breaker }) => (breaker === 'closed' ? 'dim' : breaker === 'open' ? 'bad' : 'warn'),
    },
    { title: 'STATE', width: 10, side: 'left', text: ({ state }) => state, shade: shadeOfState },
  ];
  // What a narrow screen can do without, the least needed first.
  for (const title of ['P50 ms', 'P99 ms', 'BREAKER', 'MSG/S', 'FAULTS', 'PLUGIN', 'STATE']) {
    if (columns.reduce((sum, { width }) => sum + width + GAP.length, 0) <= inner + GAP.length) break;
    columns.splice(
      columns.findIndex(column => column.title === title),
      1,
    );
  }
  return columns;
}

function shadeOfState({ state }: UnitRow): Shade {
  if (state === 'serving') return 'good';
  return state === 'failed' ? 'bad' : 'warn';
}

function title({ seconds }: DemoView, width: number, paint: Paint): string {
  const clock = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
  return paint('strong', fit('Sluice demo', width - clock.length)) + paint('dim', clock);
}

function placeLine([name, place]: readonly [string, string], width: number, paint: Paint): string {
  return paint('dim', fit(name, 9)) + cut(plain(place), width - 9);
}

function totals(
  { totals: { messages, missing, duplicated } }: DemoView,
  width: number,
  paint: Paint,
): string {
  const text = cut(`${messages} messages, ${missing} missing, ${duplicated} duplicated`, width);
  return missing + duplicated > 0 ? paint('warn', text) : paint('dim', text);
}

/** The newest that fit, the newest at the bottom. */
function eventLines({ happenings }: DemoView, width: number, room: number, paint: Paint): string[] {
  const lines: string[] = [];
  for (const { time, kind, text, code } of happenings.toReversed()) {
    const [mark, shade] = MARKS[kind];
    const head = `${time} ${fit(mark, 9)} `;
    const whole = code === undefined ? text : `${text} (${code})`;
    const parts = wrap(whole, width - head.length, EVENT_LINES);
    if (lines.length + parts.length > room) break;
    const [first = '', ...rest] = parts;
    const indent = ' '.repeat(head.length);
    lines.unshift(
      `${paint('dim', time)} ${paint(shade, fit(mark, 9))} ${first}`,
      ...rest.map(part => indent + part),
    );
  }
  return lines;
}

function keys(width: number, paint: Paint): string {
  const all: [string, string][] = [
    ['u', 'upgrade the plugin'],
    ['b', 'break it'],
    ['q', 'quit'],
  ];
  const bare = all.map(([key, what]) => `${key} ${what}`).join('   ');
  if (bare.length > width) return cut(bare, width);
  return all.map(([key, what]) => `${paint('accent', key)} ${paint('dim', what)}`).join('   ');
}
