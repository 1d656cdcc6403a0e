import type { ErrorCode } from '../../runtime/index.js';
import type { Cell } from './cells.js';
import type { Families } from './families.js';

/** Messages of one sink. */
export class SinkMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #messages: Cell;
  readonly #retried: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#messages = all.messages({ sink: name });
    this.#retried = all.retried({ sink: name });
  }

  messages(count: number): void {
    this.#messages.add(count);
  }

  retried(count: number): void {
    this.#retried.add(count);
  }

  dropped(code: ErrorCode, count = 1): void {
    this.#families.dropped({ sink: this.#name, code }).add(count);
  }

  failed(code: ErrorCode, count = 1): void {
    this.#families.sinkFailures({ sink: this.#name, code }).add(count);
  }
}
