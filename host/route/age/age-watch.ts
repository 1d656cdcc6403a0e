import type { Fault } from '../../../runtime/index.js';
import type { Source } from '../../sources/source.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { Feed } from '../feed.js';
import { DeviceAges } from './device-ages.js';
import { Freshness, type StaleRule } from './freshness.js';

/** How often the age of the data of sources is looked at, at most. */
const LOOK_MS = 1_000;

export interface AgeWatchParts {
  /** Of each source. */
  readonly rules: ReadonlyMap<string, StaleRule>;
  readonly metrics: Metrics;
  readonly report: Reporter;
}

/** Looks at the age of the data of all sources that run. */
export class AgeWatch {
  readonly #parts: AgeWatchParts;
  readonly #running = new Set<Freshness>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AgeWatchParts) {
    this.#parts = parts;
  }

  /** Of a source that does not run yet. */
  of(name: string, feed: Feed, source: Source): Freshness {
    return this.#make(name, feed, source);
  }

  /** It runs: its age is counted from now on, and looked at until the stop. */
  started(name: string, feed: Feed, source: Source): Freshness {
    const freshness = this.#make(name, feed, source);
    this.#running.add(freshness);
    const least = Math.min(...[...this.#parts.rules.values()].map(({ afterMs }) => afterMs));
    this.#timer ??= setInterval(
      () => {
        const now = performance.now();
        for (const each of this.#running) each.look(now);
      },
      Math.min(LOOK_MS, Math.max(10, least / 4)),
    ).unref();
    return freshness;
  }

  /** It does not run after all. */
  forget(freshness: Freshness): void {
    this.#running.delete(freshness);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #make(name: string, feed: Feed, source: Source): Freshness {
    const { report } = this.#parts;
    const metrics = this.#parts.metrics.source(name);
    const rule = this.#parts.rules.get(name) as StaleRule;
    const failed = (code: Fault['code']): void => metrics.failed(code);
    const now = performance.now();
    // Those that others connect to come and go as they like.
    const devices = source.repeats
      ? new DeviceAges({ name, rule, source, report, failed, stale: metrics.staleDevices() }, now)
      : undefined;
    return new Freshness({ name, rule, feed, source, report, failed, age: metrics.age(), devices }, now);
  }
}
