import type { ErrorCode } from '../../runtime/index.js';
import type { Families } from './families.js';

/** Frames that plugins failed on. */
export class QuarantineMetrics {
  readonly #families: Families;

  constructor(all: Families) {
    this.#families = all;
  }

  put(source: string, plugin: string, code: ErrorCode): void {
    this.#families.quarantined({ source, plugin, code }).add(1);
  }

  held(count: number): void {
    this.#families.quarantine({}).set(count);
  }

  dropped(count: number, code: ErrorCode): void {
    this.#families.quarantineDropped({ code }).add(count);
  }

  replayed(outcome: 'delivered' | 'refused'): void {
    this.#families.replayed({ outcome }).add(1);
  }
}
