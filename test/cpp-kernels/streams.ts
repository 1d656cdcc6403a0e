import fc from 'fast-check';
import type { Library, Piece } from './library.js';
import { cuts, floats } from './numbers.js';

/** A stream of frames, and where it is cut into calls. */
export interface Stream {
  readonly samples: Float32Array;
  readonly channels: number;
  readonly places: readonly number[];
  /** The results go where the samples were. */
  readonly inPlace: boolean;
}

export function anyStream(
  sample: fc.Arbitrary<number>,
  most = { frames: 300, channels: 7 },
): fc.Arbitrary<Stream> {
  return fc
    .record({
      list: floats(sample, most.frames),
      channels: fc.integer({ min: 1, max: most.channels }),
      places: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      inPlace: fc.boolean(),
    })
    .map(({ list, ...stream }) => ({
      ...stream,
      samples: list.subarray(0, list.length - (list.length % stream.channels)),
    }));
}

/** Runs a kernel NAME(state, in, frames, out) over the stream, call by call. */
export function runStream(library: Library, name: string, state: Piece, stream: Stream): Float32Array {
  const { samples, channels, places, inPlace } = stream;
  const out = new Float32Array(samples.length);
  let at = 0;
  for (const frames of cuts(samples.length / channels, places)) {
    const count = frames * channels;
    const from = library.put(samples.subarray(at, at + count));
    const to = inPlace ? from : library.room(count * 4);
    library.run(name, state, from, frames, to);
    out.set(library.floats(to), at);
    at += count;
  }
  return out;
}

/** The same in one call. */
export function whole(stream: Stream): Stream {
  return { ...stream, places: [], inPlace: false };
}
