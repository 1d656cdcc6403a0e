import type { ErrorCode } from '../../runtime/index.js';
import type { Cell, HistogramCell } from './cells.js';
import type { Families } from './families.js';

/** One plugin, over all its generations. */
export class PluginMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #batches: HistogramCell;
  readonly #swaps: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#batches = all.batches({ plugin: name });
    this.#swaps = all.swaps({ plugin: name });
  }

  batch(frames: number): void {
    this.#batches.observe(frames);
  }

  swapped(): void {
    this.#swaps.add(1);
  }

  faulted(version: string, code: ErrorCode, count = 1): void {
    this.#families.faults({ plugin: this.#name, version, code }).add(count);
  }

  restored(version: string, from: 'generation-before' | 'snapshot' | 'disk' | 'nothing'): void {
    this.#families.states({ plugin: this.#name, version, from }).add(1);
  }

  /** Frames of a call that failed are run one by one. */
  retried(code: ErrorCode, frames: number): void {
    this.#families.retries({ plugin: this.#name, code }).add(frames);
  }

  logged(lines: number, lost: number): void {
    this.#families.logLines({ plugin: this.#name }).add(lines);
    this.#families.logLost({ plugin: this.#name }).add(lost);
  }

  restarted(version: string, code: ErrorCode): void {
    this.#families.restarts({ plugin: this.#name, version, code }).add(1);
  }
}
