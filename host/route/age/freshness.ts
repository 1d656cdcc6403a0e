import type { Fault } from '../../../runtime/index.js';
import type { Source } from '../../sources/source.js';
import type { Cell } from '../../telemetry/cells.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { Feed } from '../feed.js';
import type { DeviceAges } from './device-ages.js';

/** How old the data of a source may be. */
export interface StaleRule {
  /** Milliseconds; Infinity: it is not judged. */
  readonly afterMs: number;
  /** It is judged from its start; else from its first frame, as those who send may not have begun. */
  readonly fromStart: boolean;
  /** A connection that brings nothing is closed and made anew, where the source makes it. */
  readonly renew: boolean;
}

export interface FreshnessParts {
  readonly name: string;
  readonly rule: StaleRule;
  readonly feed: Pick<Feed, 'lastTurn' | 'isHeldUp'>;
  readonly source: Pick<Source, 'renew'>;
  readonly report: Pick<Reporter, 'fault' | 'connected'>;
  readonly failed: (code: Fault['code']) => void;
  readonly age: Cell;
  /** Of each of its devices, where they are known. */
  readonly devices?: DeviceAges | undefined;
}

/** Longest pause between two renewals, in multiples of the age that is allowed. */
const MOST_PAUSE = 32;

/**
 * Whether a source lives, judged by the age of its data: an open socket proves nothing. While the routes behind it
 * are full nothing is read, so nothing is held against it.
 */
export class Freshness {
  readonly #parts: FreshnessParts;
  /** Age is counted from here, if no frame came later; steady clock, ms. */
  #from: number;
  #isStale = false;
  #renewals = 0;
  #renewAt = 0;
  #age = 0;

  /** @param now on the steady clock: the source starts */
  constructor(parts: FreshnessParts, now: number) {
    this.#parts = parts;
    this.#from = now;
  }

  get state(): 'waiting' | 'live' | 'stale' {
    if (this.#isStale) return 'stale';
    return this.#parts.feed.lastTurn === 0 ? 'waiting' : 'live';
  }

  /** One of its devices is, though others may bring data. */
  isStale(device: string): boolean {
    return this.#parts.devices?.isStale(device) === true;
  }

  get staleAfterMs(): number {
    return this.#parts.rule.afterMs;
  }

  /** Judges; to be called about once a second. @param now on the steady clock, ms */
  look(now: number): void {
    const { feed, rule, age } = this.#parts;
    const { lastTurn } = feed;
    if (feed.isHeldUp) this.#from = now;
    this.#parts.devices?.look(now, this.#from);
    this.#age = now - Math.max(lastTurn, this.#from);
    // What is shown is the age of the data itself; before the first, the time that was waited for it.
    age.set(Math.round(now - (lastTurn || this.#from)) / 1000);
    if (lastTurn === 0 && !rule.fromStart) return;
    if (this.#age < rule.afterMs) this.#fresh(lastTurn);
    else if (!this.#isStale || (this.#renewals > 0 && now >= this.#renewAt)) this.#stale(now);
  }

  #fresh(lastTurn: number): void {
    if (!this.#isStale || lastTurn < this.#from) return;
    this.#isStale = false;
    this.#renewals = 0;
    const { name, report } = this.#parts;
    report.connected({ source: name }, `${name} brings data again`);
  }

  #stale(now: number): void {
    const { name, rule, source, report, failed } = this.#parts;
    const first = !this.#isStale;
    this.#isStale = true;
    const seconds = Math.round(this.#age / 100) / 10;
    const text = `${name} has brought no data for ${seconds} s, and ${rule.afterMs / 1000} s are the most (\`staleAfter\`)`;
    const fault = { code: 'SLUICE_SOURCE_STALE', message: text } as const;
    if (rule.renew && source.renew !== undefined) {
      this.#renewals += 1;
      this.#renewAt = now + rule.afterMs * Math.min(MOST_PAUSE, 2 ** this.#renewals);
      const message = `${text}; its connection is closed and made anew`;
      // The source says it when the connection is gone; where there is none, why is known already.
      if (source.renew({ ...fault, message })) return;
    }
    if (!first) return;
    failed(fault.code);
    report.fault(fault, { source: name });
  }
}
