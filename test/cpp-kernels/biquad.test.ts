import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { biquad } from '../../cpp-kernels/reference/filters.js';
import { ERRNO, type Library, onBoth, type Piece } from './library.js';
import { assertClose, noise, plainFloat, summableFloat, U } from './numbers.js';
import { anyStream, runStream, type Stream, whole } from './streams.js';

/** A section whose poles are inside of the unit circle: [b0, b1, b2, a1, a2]. */
const anySection = fc
  .record({
    b: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
    radius: fc.double({ min: 0, max: 0.999, noNaN: true }),
    angle: fc.double({ min: 0, max: Math.PI, noNaN: true }),
  })
  .map(({ b, radius, angle }) => [...b, -2 * radius * Math.cos(angle), radius * radius]);

const anyCascade = fc.array(anySection, { minLength: 1, maxLength: 6 });

function open(library: Library, sections: readonly (readonly number[])[], channels: number): Piece {
  const list = library.put(Float64Array.from(sections.flat()));
  return library.state('biquad', [sections.length, channels], [list, sections.length, channels]);
}

function filtered(stream: Stream, sections: readonly (readonly number[])[]): Float32Array {
  return onBoth(library => runStream(library, 'biquad', open(library, sections, stream.channels), stream));
}

/** Against direct form I in doubles. Both round at 2^-53 of what goes round in them: 10^-7 of the largest is plenty. */
function compare(results: Float32Array, exact: readonly number[]): void {
  const largest = exact.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  for (const [i, value] of exact.entries()) {
    if (!Number.isFinite(value)) assert.ok(!Number.isFinite(results[i] as number), `result ${i}`);
    else
      assertClose(
        results[i] as number,
        value,
        Math.abs(value) * U + 1e-7 * largest + 2 ** -150,
        `result ${i}`,
      );
  }
}

test('any stable cascade over any stream is what doubles give, in one call as in many', () => {
  fc.assert(
    fc.property(anyStream(plainFloat, { frames: 800, channels: 6 }), anyCascade, (stream, sections) => {
      const results = filtered(stream, sections);
      assert.deepEqual(results, filtered(whole(stream), sections));
      compare(results, biquad(stream.samples, sections, stream.channels));
    }),
    { numRuns: 80, seed: 9 },
  );
});

test('behind a NaN or an infinity a channel goes on from rest, and the others do not notice', () => {
  fc.assert(
    fc.property(anyStream(summableFloat, { frames: 600, channels: 6 }), anyCascade, (stream, sections) => {
      const results = filtered(stream, sections);
      assert.deepEqual(results, filtered(whole(stream), sections));
      compare(results, biquad(stream.samples, sections, stream.channels));
    }),
    { numRuns: 80, seed: 10 },
  );
});

test('each channel of a stream is what it is alone', () => {
  const sections = [
    [0.2, 0.4, 0.2, -0.5, 0.3],
    [0.3, 0, -0.3, 0.1, 0.6],
    [1, 0.5, 0.25, -1.2, 0.5],
  ];
  const samples = noise(5 * 700);
  const together = filtered({ samples, channels: 5, places: [0.4], inPlace: false }, sections);
  for (let channel = 0; channel < 5; channel++) {
    const of = (list: Float32Array): Float32Array => list.filter((_, i) => i % 5 === channel);
    const alone = filtered(
      { samples: of(samples), channels: 1, places: [0.1, 0.7], inPlace: false },
      sections,
    );
    assert.deepEqual(of(together), alone);
  }
});

test('a filter that has faded goes on at its speed and is silent', () => {
  const samples = new Float32Array(100_000);
  samples[0] = 1;
  const results = filtered({ samples, channels: 1, places: [0.5], inPlace: false }, [[1, 0, 0, -0.9, 0.2]]);
  assert.equal(results[99_999], 0);
});

test('poles on or outside of the unit circle, and coefficients that are no numbers, are EDOM', () => {
  onBoth(library => {
    const bytes = library.call('biquad_bytes', 1, 1);
    const block = library.room(bytes);
    const bad = [
      [1, 0, 0, -2, 1],
      [1, 0, 0, 0, 1],
      [1, 0, 0, 1.5, 0.5],
      [NaN, 0, 0, 0, 0],
      [1, Infinity, 0, 0, 0],
      [1, 0, NaN, 0, 0],
      [1, 0, 0, NaN, 0],
      [1, 0, 0, 0, NaN],
      [1, 0, 0, 0, -1],
    ];
    for (const section of bad)
      assert.equal(
        library.call('biquad_init', block, bytes, library.put(Float64Array.from(section)), 1, 1),
        ERRNO.EDOM,
      );
    assert.ok(library.bytes(block).every(byte => byte === 0xee));
    assert.equal(library.call('biquad_bytes', 17, 1), 0);
    assert.equal(library.call('biquad_bytes', 0, 1), 0);
  });
});
