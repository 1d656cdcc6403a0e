import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fir } from '../../cpp-kernels/reference/filters.js';
import { ERRNO, type Library, onBoth, type Piece } from './library.js';
import { assertClose, floats, plainFloat, summableFloat, U } from './numbers.js';
import { anyStream, runStream, type Stream, whole } from './streams.js';

const anyTaps = floats(plainFloat, 80).filter(taps => taps.length > 0);

function open(library: Library, taps: Float32Array, channels: number): Piece {
  return library.state('fir', [taps.length, channels], [library.put(taps), taps.length, channels]);
}

function filtered(stream: Stream, taps: Float32Array): Float32Array {
  return onBoth(library => runStream(library, 'fir', open(library, taps, stream.channels), stream));
}

test('a stream in any calls is within the stated bound of the sum in doubles, and the same as in one call', () => {
  fc.assert(
    fc.property(anyStream(summableFloat, { frames: 700, channels: 5 }), anyTaps, (stream, taps) => {
      const results = filtered(stream, taps);
      assert.deepEqual(results, filtered(whole(stream), taps));
      for (const [i, { value, magnitude }] of fir(stream.samples, taps, stream.channels).entries()) {
        const bound = (taps.length + 1) * U * magnitude + taps.length * 2 ** -149;
        assertClose(results[i] as number, value, bound, `result ${i} of ${taps.length} taps`);
      }
    }),
    { numRuns: 80, seed: 7 },
  );
});

test('an infinity is gone when it has left the taps', () => {
  const samples = new Float32Array(200).fill(1);
  samples[50] = Infinity;
  samples[60] = NaN;
  const results = filtered(
    { samples, channels: 1, places: [0.3], inPlace: false },
    new Float32Array(9).fill(0.5),
  );
  assert.equal(results[49], 4.5);
  assert.ok(results.subarray(50, 59).every(x => x === Infinity));
  assert.ok(results.subarray(60, 69).every(Number.isNaN));
  assert.ok(results.subarray(69).every(x => x === 4.5));
});

test('long filters reach back as far as they have taps', () => {
  const taps = new Float32Array(3000);
  taps[2999] = 2;
  const samples = new Float32Array(4000).map((_, i) => i);
  const results = filtered({ samples, channels: 1, places: [0.5], inPlace: true }, taps);
  assert.equal(results[2998], 0);
  assert.equal(results[3999], (3999 - 2999) * 2);
  const most = new Float32Array(65536).fill(1);
  const few = filtered({ samples: samples.subarray(0, 50), channels: 1, places: [], inPlace: false }, most);
  assert.equal(few[49], (49 * 50) / 2);
});

test('taps that there cannot be have no state, and those that are no numbers are EDOM', () => {
  onBoth(library => {
    for (const [taps, channels] of [
      [0, 1],
      [65537, 1],
      [4, 0],
      [4, 257],
    ]) {
      assert.equal(library.call('fir_bytes', taps as number, channels as number), 0);
      const block = library.room(4096);
      const answer = library.call(
        'fir_init',
        block,
        4096,
        library.put(new Float32Array(4)),
        taps as number,
        channels as number,
      );
      assert.equal(answer, ERRNO.EINVAL);
    }
    const bytes = library.call('fir_bytes', 2, 1);
    const block = library.room(bytes);
    for (const tap of [NaN, Infinity])
      assert.equal(
        library.call('fir_init', block, bytes, library.put(Float32Array.of(1, tap)), 2, 1),
        ERRNO.EDOM,
      );
    assert.ok(library.bytes(block).every(byte => byte === 0xee));
  });
});
