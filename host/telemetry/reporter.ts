import { ERRORS, type Fault, LEVELS } from '../../runtime/index.js';
import type { Log } from './log.js';
import { LogLimit, type Where } from './log-limit.js';

/** Milliseconds between two lines that say the same peer is there. */
const QUIET_MS = 10_000;
/** Lines about one file before its repeats are held back. */
const TRIES = 10;

/** The one way in which the parts of a gateway say what went wrong: coded, placed, rate-limited. */
export class Reporter {
  readonly #log: Log;
  readonly #limit: LogLimit;
  /** When a peer was last said to be there. Peers are configured, so their number is bounded. */
  readonly #connected = new Map<string, number>();
  /** Told of every fault, before any rate limit; it has to be quick. */
  onFault: (fault: Fault, where: Where) => void = () => {};

  constructor(log: Log) {
    this.#log = log;
    this.#limit = new LogLimit(log);
  }

  /**
   * What failed, where and why is in the fault; what to do about it comes from the table.
   * @param details of this one time, such as the bytes of a frame
   */
  fault(fault: Fault, where: Where, level: 'warn' | 'error' = 'warn', details: Where = {}): void {
    this.onFault(fault, where);
    this.#limit.report(fault, where, level, { ...details, remedy: ERRORS[fault.code].remedy });
  }

  /**
   * A file that somebody has put there is refused. Who tries again wants to read at once what is wrong this time, so the
   * first few are all told.
   */
  refused(fault: Fault, where: Where): void {
    this.onFault(fault, where);
    this.#limit.report(fault, where, 'error', { remedy: ERRORS[fault.code].remedy }, TRIES);
  }

  /** A line of a plugin. */
  guest(plugin: string, level: number, text: string): void {
    this.#log[LEVELS[level] ?? 'info']({ plugin }, text);
  }

  /** A peer is there (again): what an engineer waits for after a failure. A peer that flaps is told of now and then. */
  connected(where: Where, message: string): void {
    const now = performance.now();
    if (now - (this.#connected.get(message) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.#connected.set(message, now);
    this.#limit.tell(where);
    this.#log.info(where, message);
  }

  info(message: string, where: Where = {}): void {
    this.#log.info(where, message);
  }

  flush(): void {
    this.#limit.flush();
  }
}
