/**
 * Lines of a body with one value a line (https://github.com/ndjson/ndjson-spec, 3.1): the next one from `at` on that
 * has something other than blanks in it. What a line holds is not looked at: that is the plugin's part.
 */
export class LineCursor {
  /** The current line is `bytes[start, end)`, without its end and the blanks around it. */
  start = 0;
  end = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  over(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = this.start = this.end = 0;
  }

  /** Moves to the next line; false: there is none. */
  next(): boolean {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      const found = bytes.indexOf(0x0a, this.#at);
      const stop = found < 0 ? bytes.length : found;
      let start = this.#at;
      let end = stop;
      this.#at = stop + 1;
      while (start < end && isBlank(bytes[start]!)) start += 1;
      while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
      if (start === end) continue;
      this.start = start;
      this.end = end;
      return true;
    }
    return false;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
