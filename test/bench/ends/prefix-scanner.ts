/** A frame is `bytes[start, end)`: what stands behind its length. Good until the call returns. */
export type OnFrame = (bytes: Buffer, start: number, end: number) => void;

/** The barest scanner of frames behind a length of four bytes: no check, no ceiling, no type. */
export class PrefixScanner {
  #rest: Buffer | undefined;

  push(chunk: Buffer, take: OnFrame): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const { length } = bytes;
    let at = 0;
    while (at + 4 <= length) {
      const start = at + 4;
      const end =
        start + ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
      if (end > length) break;
      take(bytes, start, end);
      at = end;
    }
    this.#rest = at === length ? undefined : bytes.subarray(at);
  }
}
