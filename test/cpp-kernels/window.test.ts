import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ERRNO, onBoth } from './library.js';
import { anyFloat, cuts, noise } from './numbers.js';
import { anyStream, type Stream } from './streams.js';

/** Windows of a stream as columns, as they are given out. */
function cut(stream: Stream, size: number, hop: number): number[][] {
  const { samples, channels, places } = stream;
  return onBoth(library => {
    const state = library.state('window', [size, channels], [size, hop, channels]);
    const used = library.room(4);
    const columns = library.room(4);
    const windows: number[][] = [];
    let at = 0;
    for (let left of cuts(samples.length / channels, places)) {
      do {
        const from = library.put(samples.subarray(at, at + left * channels));
        library.run('window', state, from, left, used, columns);
        const some = library.word(used);
        left -= some;
        at += some * channels;
        const full = library.word(columns);
        if (full === 0) assert.equal(left, 0, 'all are taken where no window is full');
        else windows.push([...library.floats({ at: full, bytes: size * channels * 4 })]);
      } while (left > 0);
    }
    return windows;
  });
}

test('a stream in any calls is cut into whole windows, channel after channel, overlapping or with gaps', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }));
  fc.assert(
    fc.property(anyStream(anyFloat, { frames: 400, channels: 6 }), sizes, (stream, [size, hop]) => {
      const { samples, channels } = stream;
      const expected: number[][] = [];
      for (let first = 0; first + size <= samples.length / channels; first += hop) {
        expected.push(
          Array.from({ length: size * channels }, (_, i) => {
            const [channel, frame] = [Math.floor(i / size), i % size];
            return samples[(first + frame) * channels + channel] as number;
          }),
        );
      }
      assert.deepEqual(cut(stream, size, hop), expected);
    }),
    { numRuns: 120, seed: 23 },
  );
});

test('columns and rows turn frames around, bit by bit', () => {
  for (let channels = 1; channels <= 9; channels++) {
    for (const frames of [0, 1, 3, 4, 7, 64, 101]) {
      const samples = noise(channels * frames, channels);
      if (samples.length > 0) new Uint32Array(samples.buffer)[0] = 0x7f812345;
      onBoth(library => {
        const from = library.put(samples);
        const columns = library.room(samples.byteLength);
        const back = library.room(samples.byteLength);
        library.run('columns', from, frames, channels, columns);
        library.run('rows', columns, frames, channels, back);
        assert.deepEqual(library.bytes(back), library.bytes(from));
        const words = new Uint32Array(library.floats(columns).buffer);
        const bits = new Uint32Array(samples.buffer);
        for (let i = 0; i < frames; i++) {
          for (let c = 0; c < channels; c++) assert.equal(words[c * frames + i], bits[i * channels + c]);
        }
      });
    }
  }
});

test('sizes and hops that there cannot be are EINVAL', () => {
  onBoth(library => {
    const block = library.room(4096);
    for (const [size, hop, channels] of [
      [0, 1, 1],
      [1, 0, 1],
      [(1 << 20) + 1, 1, 1],
      [1, (1 << 20) + 1, 1],
      [1, 1, 0],
      [1, 1, 257],
    ] as const)
      assert.equal(library.call('window_init', block, 4096, size, hop, channels), ERRNO.EINVAL);
  });
});
