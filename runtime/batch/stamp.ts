/**
 * When a frame was made: nanoseconds since 1970, as the two words of its record. Who hands frames over keeps one and sets it
 * anew; a number of milliseconds, handed from call to call, would be an object of the heap for each frame.
 */
export class Stamp {
  /** As signed words: these stay small integers in their fields, the bits are the same. */
  low = 0;
  high = 0;
  #ms = 0;

  /** @param ms since 1970, fractions allowed */
  static ofMs(ms: number): Stamp {
    return new Stamp().set(ms);
  }

  /** @param ns since 1970 */
  static ofNanos(ns: bigint): Stamp {
    return new Stamp().words(Number(BigInt.asIntN(32, ns)), Number(BigInt.asIntN(32, ns >> 32n)));
  }

  /** Without BigInt, whole milliseconds in 16-bit steps. @param ms since 1970, fractions allowed: kept to the microsecond */
  set(ms: number): this {
    if (ms === this.#ms) return this;
    this.#ms = ms;
    const whole = Math.floor(ms);
    const upper = Math.floor(whole / 65536) * 1e6;
    const low = (upper % 65536) * 65536 + (whole % 65536) * 1e6 + Math.round((ms - whole) * 1e3) * 1e3;
    this.low = low | 0;
    this.high = (Math.floor(upper / 65536) + Math.floor(low / 4294967296)) | 0;
    return this;
  }

  /** @param low word of the nanoseconds since 1970, signed or not */
  words(low: number, high: number): this {
    this.#ms = Number.NaN;
    this.low = low | 0;
    this.high = high | 0;
    return this;
  }
}
