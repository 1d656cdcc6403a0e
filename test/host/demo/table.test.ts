import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DemoView, UnitRow } from '../../../host/demo/demo-view.js';
import { Happenings } from '../../../host/demo/happenings.js';
import { painter } from '../../../host/demo/paint.js';
import { inWords } from '../../../host/demo/points.js';
import { renderDemo } from '../../../host/demo/table.js';
import { cells, fit, plain, wrap } from '../../../host/demo/text-width.js';
import { anyText } from '../../support/fuzz/any-text.js';

const row: UnitRow = {
  device: 'line1/1',
  plugin: 'modbus-json 0.1.0',
  perSecond: 19.96,
  p50Ms: 1.04,
  p99Ms: 9.3,
  faults: 3,
  breaker: 'half-open',
  state: 'recovering',
  message: 'sequence 7  temperature 21.5 °C',
};
const view: DemoView = {
  seconds: 65,
  places: [['plugins', '/tmp/x/plugins']],
  rows: [row],
  totals: { messages: 7, missing: 3, duplicated: 0 },
  happenings: [{ time: '12:30:01', kind: 'refusal', text: 'a.wasm: it is cut off', code: 'SLUICE_X' }],
  columns: 130,
  lines: 24,
};
const bare = painter({ NO_COLOR: '1' });

test('a row says device, plugin and version, rate, latencies, faults, state and the last message', () => {
  const lines = renderDemo(view, bare);
  const head = lines.findIndex(line => line.includes('DEVICE'));
  assert.match(lines[head]!, /DEVICE +PLUGIN +MSG\/S +P50 ms +P99 ms +FAULTS +BREAKER +STATE +LAST MESSAGE/);
  assert.equal(
    lines[head + 1]!.trim().replaceAll(/ {2,}/g, ' '),
    'line1/1 modbus-json 0.1.0 20.0 1.0 9.3 3 half-open recovering sequence 7 temperature 21.5 °C',
  );
});

test('on 80 columns the last message stands under its row', () => {
  const lines = renderDemo({ ...view, columns: 80 }, bare);
  const at = lines.findIndex(line => line.includes('line1/1'));
  assert.match(lines[at]!, /recovering$/);
  assert.equal(lines[at + 1], '   sequence 7  temperature 21.5 °C');
});

test('a refusal is shown with its reason and code, the keys in the last line', () => {
  const lines = renderDemo(view, bare);
  assert.ok(lines.includes(' 12:30:01 ✗ refused a.wasm: it is cut off (SLUICE_X)'));
  assert.equal(lines.length, 24);
  assert.match(lines.at(-1)!, /u upgrade.*b break.*q quit/);
});

test('NO_COLOR leaves no escape on the screen; without it there are colours', () => {
  assert.ok(!renderDemo(view, bare).join('').includes('\u001b'));
  assert.ok(renderDemo(view, painter({})).join('').includes('\u001b[32m') === false);
  assert.ok(renderDemo(view, painter({})).join('').includes('\u001b[31m✗ refused'));
});

test('whatever devices and plugins say, no line is wider than the screen, and none has control characters', () => {
  const text = fc.oneof(anyText({ maxLength: 120 }), fc.constantFrom('\u001b[2J', '溫度計'));
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 6 }),
      fc.integer({ min: 24, max: 160 }),
      fc.integer({ min: 8, max: 50 }),
      (texts, columns, lines) => {
        const rows = texts.map(said => ({ ...row, message: said }));
        const happenings = texts.map(said => ({ time: '12:30:01', kind: 'fault' as const, text: said }));
        const drawn = renderDemo({ ...view, rows, happenings, columns, lines }, bare);
        assert.ok(drawn.length <= lines);
        for (const line of drawn) {
          assert.ok(cells(line) <= columns, JSON.stringify(line));
          assert.doesNotMatch(line, /\p{Cc}/u);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('text is cut and filled by the cells that a terminal gives it', () => {
  assert.equal(fit('abc', 5), 'abc  ');
  assert.equal(fit('abc', 5, 'right'), '  abc');
  assert.equal(fit('abcdef', 4), 'abc…');
  assert.equal(fit('溫度計', 5), '溫度…');
  assert.equal(plain('a\u001b[2J\nb'), 'a [2J b');
  assert.deepEqual(wrap('one two three four', 9, 2), ['one two', 'three fo…']);
});

test('points are shown as words', () => {
  const points = [
    { name: 't', value: 21.46, unit: '°C' },
    { name: 'n', value: 4 },
  ];
  assert.equal(inWords(points), 't 21.5 °C  n 4');
});

test('events come from the log: swaps, refusals with their reason, faults; other lines are left out', () => {
  const happenings = new Happenings();
  const said = (line: object): void => happenings.fromLog(JSON.stringify(line));
  said({ level: 'info', msg: 'sluice runs' });
  said({ level: 'info', msg: 'a.wasm serves', route: 'r', plugin: 'a', version: '2.0.0' });
  said({ level: 'error', msg: 'it is cut off', file: 'a.wasm', code: 'SLUICE_MODULE_MALFORMED' });
  said({ level: 'error', msg: 'a.wasm is refused: it traps', route: 'r', code: 'SLUICE_GUEST_TRAP' });
  said({ level: 'warn', msg: 'too short', route: 'r', source: 's', code: 'SLUICE_CONVERT_MALFORMED' });
  happenings.fromLog('no json');
  assert.deepEqual(
    happenings.list.map(({ kind, text }) => [kind, text]),
    [
      ['swap', '2.0.0: a.wasm serves'],
      ['refusal', 'a.wasm: it is cut off'],
      ['refusal', 'a.wasm: it traps'],
      ['fault', 'too short'],
    ],
  );
});
