import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ewma, type Score, zscore } from '../../cpp-kernels/reference/anomaly.js';
import { ERRNO, onBoth } from './library.js';
import { assertClose, noise, plainFloat, summableFloat, U } from './numbers.js';
import { anyStream, runStream, type Stream, whole } from './streams.js';

function scoredByWindow(stream: Stream, window: number, least: number): Float32Array {
  const { channels } = stream;
  return onBoth(library =>
    runStream(
      library,
      'zscore',
      library.state('zscore', [window, channels], [window, channels, least]),
      stream,
    ),
  );
}

function scoredByWeight(stream: Stream, weight: number, settle: number, least: number): Float32Array {
  const { channels } = stream;
  return onBoth(library =>
    runStream(library, 'ewma', library.state('ewma', [channels], [channels, weight, settle, least]), stream),
  );
}

test('zscore is within its bound of the samples in front, in one call as in many', () => {
  const settings = fc.record({
    window: fc.integer({ min: 2, max: 40 }),
    least: fc.constantFrom(0.125, 1, 64),
  });
  fc.assert(
    fc.property(
      anyStream(plainFloat, { frames: 300, channels: 4 }),
      settings,
      (stream, { window, least }) => {
        const results = scoredByWindow(stream, window, least);
        assert.deepEqual(results, scoredByWindow(whole(stream), window, least));
        zscore(stream.samples, window, stream.channels, least).forEach(({ value, deviation }, i) => {
          const slack = (window * 2 ** -49 * 1000) / deviation + 2 ** -150;
          assertClose(results[i] as number, value, Math.abs(value) * 2 ** -23.9 + slack, `score ${i}`);
        });
      },
    ),
    { numRuns: 60, seed: 16 },
  );
});

test('a NaN scores NaN, and so do those behind it until it has left the window', () => {
  const samples = noise(30);
  samples[10] = NaN;
  const results = scoredByWindow({ samples, channels: 1, places: [], inPlace: false }, 5, 0.1);
  assert.deepEqual(
    [...results].map((x, i) => (Number.isNaN(x) ? i : -1)).filter(i => i >= 0),
    [10, 11, 12, 13, 14, 15],
  );
});

test('ewma is within its bound, in one call as in many; what is no number scores NaN and is forgotten', () => {
  const settings = fc.record({
    weight: fc.constantFrom(1, 0.5, 0.01, 1e-4),
    settle: fc.integer({ min: 0, max: 20 }),
    least: fc.constantFrom(0.125, 4),
  });
  fc.assert(
    fc.property(
      anyStream(summableFloat, { frames: 300, channels: 7 }),
      settings,
      (stream, { weight, settle, least }) => {
        const results = scoredByWeight(stream, weight, settle, least);
        assert.deepEqual(results, scoredByWeight(whole(stream), weight, settle, least));
        ewma(stream.samples, stream.channels, weight, settle, least).forEach((score: Score, i) => {
          const slack = (2 ** -40 * 1000) / score.deviation + 2 ** -150;
          assertClose(
            results[i] as number,
            score.value,
            Math.abs(score.value) * U * 1.001 + slack,
            `score ${i}`,
          );
        });
      },
    ),
    { numRuns: 80, seed: 17 },
  );
});

test('what is unlike the last thousand samples stands out in both', () => {
  const samples = noise(3000, 8);
  samples[2500] = 6;
  const stream = { samples, channels: 1, places: [0.5], inPlace: false };
  for (const scores of [scoredByWindow(stream, 1000, 0.01), scoredByWeight(stream, 0.001, 1000, 0.01)]) {
    const largest = scores.reduce(
      (most, x, i) => (Math.abs(x) > Math.abs(scores[most] as number) ? i : most),
      0,
    );
    assert.equal(largest, 2500);
    assert.ok((scores[2500] as number) > 9 && Math.abs(scores[2499] as number) < 2);
  }
});

test('settings that make no sense are EDOM or EINVAL', () => {
  onBoth(library => {
    const block = library.room(4096);
    for (const least of [0, -1, NaN, Infinity]) {
      assert.equal(library.call('zscore_init', block, 4096, 8, 1, least), ERRNO.EDOM);
      assert.equal(library.call('ewma_init', block, 4096, 1, 0.5, 0, least), ERRNO.EDOM);
    }
    for (const weight of [0, -1, 1.5, NaN, Infinity])
      assert.equal(library.call('ewma_init', block, 4096, 1, weight, 0, 1), ERRNO.EDOM);
    assert.equal(library.call('zscore_init', block, 4096, 1, 1, 1), ERRNO.EINVAL);
    assert.equal(library.call('ewma_init', block, 4096, 257, 1, 0, 1), ERRNO.EINVAL);
  });
});
