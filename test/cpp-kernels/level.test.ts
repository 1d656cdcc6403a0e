import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clamp, deadband, scale } from '../../cpp-kernels/reference/level.js';
import { ERRNO, onBoth } from './library.js';
import { anyFloat } from './numbers.js';
import { anyStream, type Stream } from './streams.js';

const perChannel = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 7, maxLength: 7 });
const RUNS = { numRuns: 150, seed: 5 };

/** Results with their bits, where NaN is the one that the kernels give and the sign of a zero does not count. */
function exactly(results: Float32Array, expected: Float32Array): void {
  assert.deepEqual(
    [...results].map(x => x + 0),
    [...expected].map(x => x + 0),
  );
}

function runLevel(name: string, stream: Stream, first: Float32Array, second: Float32Array): Float32Array {
  return onBoth(library => {
    const from = library.put(stream.samples);
    const to = stream.inPlace ? from : library.room(stream.samples.byteLength);
    const settings = [library.put(first), library.put(second)];
    library.run(name, from, stream.samples.length / stream.channels, stream.channels, ...settings, to);
    return library.floats(to);
  });
}

test('scale multiplies and adds as floats do, channel by channel, also in place', () => {
  fc.assert(
    fc.property(anyStream(anyFloat), perChannel, perChannel, (stream, gains, offsets) => {
      const gain = Float32Array.from(gains.slice(0, stream.channels));
      const offset = Float32Array.from(offsets.slice(0, stream.channels));
      exactly(runLevel('scale', stream, gain, offset), scale(stream.samples, gain, offset));
    }),
    RUNS,
  );
});

test('clamp gives the sample or the bound, channel by channel, and NaN for NaN', () => {
  fc.assert(
    fc.property(anyStream(anyFloat), perChannel, perChannel, (stream, one, other) => {
      const least = Float32Array.from(one.slice(0, stream.channels), (x, i) =>
        Math.min(x, other[i] as number),
      );
      const most = Float32Array.from(one.slice(0, stream.channels), (x, i) =>
        Math.max(x, other[i] as number),
      );
      exactly(runLevel('clamp', stream, least, most), clamp(stream.samples, least, most));
    }),
    RUNS,
  );
});

test('an infinity is no bound', () => {
  const stream = { samples: Float32Array.of(-1e30, 5, 1e30), channels: 1, places: [], inPlace: false };
  const open = runLevel('clamp', stream, Float32Array.of(-Infinity), Float32Array.of(Infinity));
  exactly(open, stream.samples);
  const below = runLevel('clamp', stream, Float32Array.of(-Infinity), Float32Array.of(7));
  exactly(below, Float32Array.of(-1e30, 5, 7));
});

/** Small steps, so that some pass and many do not. */
const quiet = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -8, max: 8 }).map(n => 100 + n / 16) },
  { weight: 1, arbitrary: anyFloat },
);

test('deadband holds what has hardly moved, in one call as in many', () => {
  const bands = fc.array(fc.integer({ min: 0, max: 16 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(anyStream(quiet), bands, (stream, sixteenths) => {
      const band = Float32Array.from(sixteenths.slice(0, stream.channels), n => n / 16);
      const { samples, channels } = stream;
      const run = (pieces: readonly Float32Array[]): { out: Float32Array; passed: number } =>
        onBoth(library => {
          const state = library.state('deadband', [channels], [channels, library.put(band)]);
          const count = library.room(4);
          const out = new Float32Array(samples.length);
          let passed = 0;
          let at = 0;
          for (const piece of pieces) {
            const from = library.put(piece);
            const to = stream.inPlace ? from : library.room(piece.byteLength);
            library.run('deadband', state, from, piece.length / channels, to, count);
            out.set(library.floats(to), at);
            at += piece.length;
            passed += library.word(count);
          }
          return { out, passed };
        });
      const middle = Math.floor((samples.length / channels) * (stream.places[0] ?? 0)) * channels;
      const results = run([samples.subarray(0, middle), samples.subarray(middle)]);
      const expected = deadband(samples, band);
      exactly(results.out, expected.out);
      assert.equal(results.passed, expected.passed);
    }),
    RUNS,
  );
});

test('gains, bounds and bands that make no sense are EDOM, and nothing is written', () => {
  onBoth(library => {
    const from = library.put(new Float32Array(8));
    const out = library.room(32);
    const one = library.put(Float32Array.of(1, 1));
    const bad = (value: number) => library.put(Float32Array.of(1, value));
    for (const value of [NaN, Infinity, -Infinity]) {
      assert.equal(library.call('scale', from, 4, 2, bad(value), one, out), ERRNO.EDOM);
      assert.equal(library.call('scale', from, 4, 2, one, bad(value), out), ERRNO.EDOM);
    }
    assert.equal(library.call('clamp', from, 4, 2, bad(NaN), one, out), ERRNO.EDOM);
    assert.equal(library.call('clamp', from, 4, 2, one, bad(0), out), ERRNO.EDOM);
    const bytes = library.call('deadband_bytes', 2);
    const state = library.room(bytes);
    for (const value of [-1, NaN, Infinity])
      assert.equal(library.call('deadband_init', state, bytes, 2, bad(value)), ERRNO.EDOM);
    assert.ok([...library.bytes(out), ...library.bytes(state)].every(byte => byte === 0xee));
  });
});
