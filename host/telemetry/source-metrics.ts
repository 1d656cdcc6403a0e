import type { ErrorCode } from '../../runtime/index.js';
import type { Cell } from './cells.js';
import type { Families } from './families.js';

/** Frames of one source. Get it once, at start; its methods are additions. */
export class SourceMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #frames: Cell;
  readonly #delivered: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#frames = all.frames({ source: name });
    this.#delivered = all.delivered({ source: name });
  }

  /** Keep the cell. */
  age(): Cell {
    return this.#families.sourceAge({ source: this.#name });
  }

  staleDevices(): Cell {
    return this.#families.staleDevices({ source: this.#name });
  }

  frames(count: number): void {
    this.#frames.add(count);
  }

  delivered(count: number): void {
    this.#delivered.add(count);
  }

  refused(plugin: string, code: ErrorCode, count = 1): void {
    this.#families.refused({ source: this.#name, plugin, code }).add(count);
  }

  skipped(code: ErrorCode, count = 1): void {
    this.#families.skipped({ source: this.#name, code }).add(count);
  }

  failed(code: ErrorCode, count = 1): void {
    this.#families.sourceFailures({ source: this.#name, code }).add(count);
  }
}
