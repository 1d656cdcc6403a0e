import type { ReadStream } from 'node:tty';
import type { Gateway } from '../gateway.js';
import type { DemoDevice } from './demo-device.js';
import type { DemoView, UnitRow } from './demo-view.js';
import type { Happenings } from './happenings.js';
import { Keys } from './keys.js';
import { painter } from './paint.js';
import type { Dropped, PluginDrop } from './plugin-drop.js';
import { Screen, type Terminal } from './screen.js';
import { renderDemo } from './table.js';
import { UnitMeter } from './unit-meter.js';
import type { Witness } from './witness.js';

/** A few times a second: a person sees that it lives, and can still read it. */
const DRAW_EVERY_MS = 250;

export interface LiveParts {
  readonly gateway: Gateway;
  readonly devices: readonly DemoDevice[];
  readonly witness: Witness;
  readonly drop: PluginDrop;
  readonly happenings: Happenings;
  readonly places: DemoView['places'];
  readonly input: ReadStream;
  readonly output: Terminal & Pick<NodeJS.WriteStream, 'on' | 'off'>;
}

/** The live table. From its making to `stop` the terminal is its own. */
export class LiveTable {
  /** Resolves when the user wants to quit. */
  readonly quit: Promise<void>;
  readonly #parts: LiveParts;
  readonly #screen: Screen;
  readonly #keys: Keys;
  readonly #meters: ReadonlyMap<string, UnitMeter>;
  readonly #paint = painter(process.env);
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #wantsToQuit: () => void = () => {};
  /** One file after the other. */
  #dropping: Promise<void> = Promise.resolve();

  constructor(parts: LiveParts) {
    this.#parts = parts;
    const { devices, witness } = parts;
    const meters = devices.flatMap(({ rows, sent }) =>
      rows.map(row => [row, new UnitMeter(witness.track(row), () => sent.sequenceOf(row))] as const),
    );
    this.#meters = new Map(meters);
    this.quit = new Promise(resolve => {
      this.#wantsToQuit = resolve;
    });
    this.#screen = new Screen(parts.output);
    // Also after a crash: its report is printed on the ordinary screen then.
    process.once('exit', this.#restore);
    this.#keys = new Keys(parts.input, key => this.press(key));
    this.#screen.enter();
    parts.output.on('resize', this.#draw);
    this.#timer = setInterval(this.#draw, DRAW_EVERY_MS);
    this.#draw();
  }

  press(key: string): void {
    const { drop } = this.#parts;
    if (key === 'q') this.#wantsToQuit();
    if (key === 'u') this.#put(() => drop.upgrade());
    if (key === 'b') this.#put(() => drop.spoil());
  }

  /** Gives the terminal back. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#parts.output.off('resize', this.#draw);
    process.off('exit', this.#restore);
    this.#restore();
    await this.#dropping;
  }

  #put(make: () => Promise<Dropped>): void {
    const { happenings } = this.#parts;
    this.#dropping = this.#dropping.then(make).then(
      ({ what }) => {
        happenings.key(what);
        this.#draw();
      },
      (thrown: unknown) => happenings.key(`it could not be written: ${(thrown as Error).message}`),
    );
  }

  readonly #restore = (): void => {
    this.#screen.leave();
    this.#keys.stop();
  };

  readonly #draw = (): void => {
    const now = performance.now();
    for (const meter of this.#meters.values()) meter.read(now);
    this.#screen.draw(renderDemo(this.#view(now), this.#paint));
  };

  #view(now: number): DemoView {
    const { gateway, witness, happenings, places } = this.#parts;
    const rows = [...this.#meters].map(([row, { track, perSecond, faults }]): UnitRow => {
      const route = gateway.routes.find(({ name }) => name === row.split('/')[0]);
      return {
        device: row,
        plugin: route?.plugins.map(({ name, version }) => `${name} ${version}`).join(' → ') || '-',
        perSecond,
        p50Ms: track.latency(0.5),
        p99Ms: track.latency(0.99),
        faults,
        breaker: route?.slot.current?.breaker?.state.kind ?? 'closed',
        state: route?.slot.state ?? 'missing',
        message: track.words,
      };
    });
    return {
      seconds: (now - this.#began) / 1000,
      places,
      rows,
      totals: {
        messages: witness.messages,
        missing: rows.reduce((sum, { faults }) => sum + faults, 0),
        duplicated: witness.duplicated,
      },
      happenings: happenings.list,
      columns: this.#screen.columns,
      lines: this.#screen.rows,
    };
  }
}
