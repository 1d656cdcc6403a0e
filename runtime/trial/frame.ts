import type { Vector } from '../vector.js';

/** A frame outside of a slab, as its source gave it. */
export interface FrameCopy {
  readonly source: string;
  readonly topic: string;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  readonly payload: Uint8Array;
  readonly properties: readonly (readonly [string, string])[];
}

/** When a vector's frame came, unless it says so (runtime/vector.ts). */
const TIMESTAMP = '1700000000123456789';

/** The frame of a vector with nothing left out. */
export function frameOf({ frame }: Vector): FrameCopy {
  return {
    source: frame.source ?? 'test',
    topic: frame.topic,
    timestamp: BigInt(frame.timestamp ?? TIMESTAMP),
    payload: Buffer.from(frame.payload, 'hex'),
    properties: frame.properties ?? [],
  };
}
