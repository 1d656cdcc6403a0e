import type { ErrorCode } from '../../../runtime/index.js';

const QUIET_MS = 1000;
const CODES: readonly ErrorCode[] = [
  'SLUICE_SOURCE_BACKPRESSURE',
  'SLUICE_SOURCE_LATE',
  'SLUICE_SOURCE_OVERRUN',
];

/** Polls that are left out may be thousands a second: the stream tells of those of a source once in a second. */
export class LeftOut {
  /** By code and source, which are configured: their number is bounded. */
  readonly #toldAt = new Map<string, number>();

  /** Whether it is to be told. What is no poll that was left out always is. */
  isNew(code: ErrorCode, source: string, now = performance.now()): boolean {
    if (!CODES.includes(code)) return true;
    const id = `${code} ${source}`;
    if (now - (this.#toldAt.get(id) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return false;
    this.#toldAt.set(id, now);
    return true;
  }
}
