import { ERRORS, type Fault, LEVELS } from '../../runtime/index.js';
import type { Log } from './log.js';
import { LogLimit, type Where } from './log-limit.js';

/** The one way in which the parts of a gateway say what went wrong: coded, placed, rate-limited. */
export class Reporter {
  readonly #log: Log;
  readonly #limit: LogLimit;
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

  /** A line of a plugin. */
  guest(plugin: string, level: number, text: string): void {
    this.#log[LEVELS[level] ?? 'info']({ plugin }, text);
  }

  info(message: string, where: Where = {}): void {
    this.#log.info(where, message);
  }

  flush(): void {
    this.#limit.flush();
  }
}
