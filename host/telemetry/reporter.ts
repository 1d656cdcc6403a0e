import { type Fault, LEVELS } from '../../runtime/index.js';
import type { Log } from './log.js';
import { LogLimit, type Where } from './log-limit.js';

/** The one way in which the parts of a gateway say what went wrong: coded, placed, rate-limited. */
export class Reporter {
  readonly #log: Log;
  readonly #limit: LogLimit;

  constructor(log: Log) {
    this.#log = log;
    this.#limit = new LogLimit(log);
  }

  /** @param details shown with the first line of a failure, such as the bytes of a frame */
  fault(fault: Fault, where: Where, level: 'warn' | 'error' = 'warn', details: Where = {}): void {
    this.#limit.report(fault, where, level, details);
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
