/**
 * One slab: a piece of (usually shared) memory that carries one batch in and its results out.
 *
 *   0            bytes of the frames: strings, payloads, property tuples
 *   recordsAt    the frame records (list<frame>), pointers relative to the slab
 *   outcomesAt   one outcome a frame, then result bytes and message records
 *
 * The input part is never written after publish(); results count only after the commit.
 */
export class Slab {
  readonly buffer: ArrayBufferLike;
  /** As a Buffer, so that sinks can copy out of it. */
  readonly u8: Buffer;
  readonly u32: Uint32Array;
  readonly view: DataView;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.u8 = Buffer.from(buffer as ArrayBuffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
  }

  get size(): number {
    return this.u32.byteLength;
  }
}

/** Words of a slab's header. It lives in the ring's control memory, one cache line a slab. */
export const HEADER = {
  words: 16,
  // written by the host before publish()
  operation: 0,
  /** Frames in the batch. */
  count: 1,
  /** End of the frames' bytes. */
  dataEnd: 2,
  /** Begin of the frame records, 8-aligned. */
  recordsAt: 3,
  /** End of the input part. */
  inputEnd: 4,
  /** Time of a flush, nanoseconds since 1970, low and high word. */
  nowLow: 5,
  nowHigh: 6,
  /** 1: run frame by frame, because the batch failed as a whole. Set by either side before a re-run. */
  isolate: 7,
  /** First frame of this run: those before it are delivered (results that come in pieces). */
  begin: 13,
  // written by the worker before the commit
  /** Begin of the outcome table. */
  outcomesAt: 8,
  /** End of what the worker wrote. */
  outEnd: 9,
  /** Outcomes that are not plain messages. */
  faults: 10,
  /** Frames whose outcome is final while the batch is run frame by frame. */
  progress: 11,
  /** The size of the slab that `progress` and `outEnd` speak of. */
  size: 12,
  /** 1: only frames [begin, progress) are in this commit; the rest follows once they are delivered. */
  piece: 14,
  /** Microseconds that the guests took; -1: not known. */
  micros: 15,
} as const;

export const OPERATION = { convert: 0, flush: 1 } as const;

/**
 * One outcome: word 0 = code (0 for messages, else 1 + index in OUTCOME_CODES) | stage << 16;
 * word 1 = number of messages, or length of the fault's text; word 2 = offset of the message records or
 * of the text; word 3 = 0.
 */
export const OUTCOME = { size: 16, words: 4 } as const;

export function alignUp(value: number, align: number): number {
  return (value + align - 1) & -align;
}
