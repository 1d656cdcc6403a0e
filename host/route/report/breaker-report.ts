import type { Generation, SlotChange } from '../../../sandbox/index.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import { chainText, openedText, ruleOf, versionOf } from './breaker-text.js';

/** Values of sluice_breaker_state. */
const STATE = { closed: 0, halfOpen: 1, open: 2 } as const;

/** Says in metrics and log what becomes of the breakers of one route. */
export class BreakerReport {
  readonly #route: string;
  readonly #metrics: Metrics;
  readonly #report: Reporter;
  readonly #parks: () => boolean;
  #newest = 0;
  #openings = 0;

  /** @param parks frames that wait do so on the disk */
  constructor(route: string, metrics: Metrics, report: Reporter, parks: () => boolean) {
    this.#parks = parks;
    this.#route = route;
    this.#metrics = metrics;
    this.#report = report;
  }

  changed(change: SlotChange): void {
    const { generation } = change;
    switch (change.kind) {
      case 'serving':
        this.#serving(generation);
        return;
      case 'slow':
        this.#slow(change);
        return;
      case 'opened':
        this.#opened(change);
        return;
      case 'half-open':
        this.#state(generation, STATE.halfOpen);
        return;
      case 'closed':
        this.#state(generation, STATE.closed);
        this.#report.info(
          `${chainText(generation)} has answered again, so the breaker is closed and it serves`,
          {
            route: this.#route,
          },
        );
        return;
      case 'rolled-back':
        this.#rolledBack(change);
        return;
      case 'forbidden':
        // What became of it is told with the refusal.
        this.#newest = change.back.number;
        return;
      default:
        change satisfies never;
    }
  }

  #serving(generation: Generation): void {
    if (generation.number >= this.#newest) {
      this.#newest = generation.number;
      this.#state(generation, STATE.closed);
    } else {
      this.#report.info(`${chainText(generation)} (generation ${generation.number}) serves in its stead`, {
        route: this.#route,
      });
    }
  }

  #opened(change: Extract<SlotChange, { kind: 'opened' }>): void {
    const { generation, cause, again } = change;
    const { plugin } = cause;
    if (!again) {
      this.#openings++;
      this.#metrics.breakerOpened(plugin, this.#route);
    }
    this.#state(generation, STATE.open, plugin);
    const openings = generation.breaker?.openings(performance.now()) ?? 0;
    const message = openedText(change, openings, this.#parks());
    // Its number makes each opening a line of its own; tries that fail are held back like all that repeats.
    const which: Record<string, string> = again ? {} : { opening: `${this.#openings}` };
    const where = { route: this.#route, rule: ruleOf(cause), ...which };
    this.#report.fault({ code: 'SLUICE_BREAKER_OPEN', message, plugin }, where, 'error');
  }

  #rolledBack({
    generation,
    back,
    plugin,
    fault,
    frames,
  }: Extract<SlotChange, { kind: 'rolled-back' }>): void {
    this.#newest = back.number;
    const version = versionOf(generation, plugin);
    this.#metrics.plugin(plugin).faulted(version, fault.code);
    this.#metrics.rolledBack(plugin, version, fault.code);
    const message = `${plugin} ${version} is taken back after ${frames} ${frames === 1 ? 'frame' : 'frames'}: ${fault.message} (${fault.code}); ${chainText(back)} serves again, from the frames on that it failed on`;
    const where = { route: this.#route, version };
    this.#report.fault({ code: 'SLUICE_PLUGIN_ROLLED_BACK', message, plugin }, where, 'error');
  }

  #slow({ generation, frames, ms, next }: Extract<SlotChange, { kind: 'slow' }>): void {
    const plugin = generation.spec.stages[0]?.plugin ?? '';
    for (const stage of generation.spec.stages) this.#metrics.batchSlow(stage.plugin);
    const message = `a batch of ${frames} ${frames === 1 ? 'frame' : 'frames'} took ${Math.round(ms)} ms of the ${Math.round(generation.allowedMs)} ms that it may take; the next ones have at most ${next}`;
    this.#report.fault({ code: 'SLUICE_GUEST_SLOW', message, plugin }, { route: this.#route });
  }

  #state({ spec, number }: Generation, state: number, only?: string): void {
    // The number stands for the newest; that of a fallback is told of in the log.
    if (number < this.#newest) return;
    for (const { plugin } of spec.stages) {
      if (only === undefined || plugin === only) this.#metrics.breakerState(plugin, this.#route, state);
    }
  }
}
