import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Enough for the log of many removals. */
const BYTES = 4 * 2 ** 20;
/** The disk has to have so much more before it is taken again. */
const SPARE = 2 * BYTES;

/**
 * A few MiB beside a file, so that a disk that is full does not keep the file from being emptied: a removal
 * needs some space too. It is given up when the disk is full, and taken back when there is room.
 */
export class Reserve {
  readonly #path: string;
  #isHeld: boolean;

  constructor(file: string) {
    this.#path = `${file}.reserve`;
    this.#isHeld = existsSync(this.#path);
  }

  /** There is a reserve, or there is one again. */
  hold(): boolean {
    if (this.#isHeld) return true;
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    if (bavail * bsize < SPARE) return false;
    try {
      const handle = openSync(this.#path, 'w');
      try {
        const zeros = Buffer.alloc(2 ** 20);
        for (let written = 0; written < BYTES; ) written += writeSync(handle, zeros);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      this.#isHeld = true;
    } catch {
      rmSync(this.#path, { force: true });
    }
    return this.#isHeld;
  }

  /** Gives the space back to the disk. */
  release(): void {
    rmSync(this.#path, { force: true });
    this.#isHeld = false;
  }
}
