import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { spread } from '../../cpp-kernels/reference/windows.js';
import { type Library, onBoth, type Piece } from './library.js';
import { assertClose, cuts, noise, summableFloat, U } from './numbers.js';
import { anyStream, type Stream, whole } from './streams.js';

const NAMES = ['least', 'most', 'mean', 'deviation'] as const;

function slid(stream: Stream, window: number): Float32Array[] {
  const { samples, channels, places, inPlace } = stream;
  return onBoth(library => {
    const state = library.state('sliding', [window, channels], [window, channels]);
    const all = NAMES.map(() => new Float32Array(samples.length));
    let at = 0;
    for (const frames of cuts(samples.length / channels, places)) {
      const from = library.put(samples.subarray(at, at + frames * channels));
      const outs = NAMES.map((_, i) => (inPlace && i === 2 ? from : library.room(from.bytes)));
      library.run('sliding', state, from, frames, ...outs);
      outs.forEach((out, i) => {
        all[i]?.set(library.floats(out), at);
      });
      at += frames * channels;
    }
    return all;
  });
}

test('least, most, mean and deviation of the last samples are within their bounds, in one call as in many', () => {
  const windows = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(anyStream(summableFloat, { frames: 400, channels: 4 }), windows, (stream, window) => {
      const results = slid(stream, window);
      assert.deepEqual(results, slid(whole(stream), window));
      for (let i = 0; i < stream.samples.length; i++) {
        const last: number[] = [];
        for (let at = i; at >= 0 && last.length < window; at -= stream.channels)
          last.push(stream.samples[at] as number);
        compare(
          results.map(list => list[i] as number),
          last,
          window,
        );
      }
    }),
    { numRuns: 80, seed: 15 },
  );
});

function compare(results: readonly number[], last: readonly number[], window: number): void {
  const [least = 0, most = 0, mean = 0, deviation = 0] = results;
  if (last.some(Number.isNaN)) {
    assert.ok(results.every(Number.isNaN));
    return;
  }
  const exact = spread(last);
  assert.equal(least + 0, exact.least + 0);
  assert.equal(most + 0, exact.most + 0);
  if (!last.every(Number.isFinite)) {
    assert.ok(Number.isNaN(deviation) && !Number.isFinite(mean));
    return;
  }
  const largest = last.reduce((so, x) => Math.max(so, Math.abs(x)), 0);
  assertClose(mean, exact.mean, Math.abs(exact.mean) * U + window * 2 ** -52 * largest + 2 ** -150, 'mean');
  const bound = exact.deviation * 2 ** -23.9 + window * 2 ** -50 * largest + 2 ** -150;
  assertClose(deviation, exact.deviation, bound, 'deviation');
}

test('small moves of a large number are seen', () => {
  const samples = noise(30_000).map(x => 1e6 + x * 100);
  const [, , mean, deviation] = slid({ samples, channels: 1, places: [0.2], inPlace: false }, 1000) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const exact = spread(samples.subarray(29_000));
  assertClose(mean[29_999] as number, exact.mean, exact.mean * U + 1e-6, 'mean');
  assertClose(deviation[29_999] as number, exact.deviation, exact.deviation * 2 ** -23.9 + 1e-6, 'deviation');
});

test('outputs that nobody asks for are null, and two of them may not be the same', () => {
  onBoth(library => {
    const state: Piece = library.state('sliding', [4, 1], [4, 1]);
    const from = library.put(Float32Array.of(3, 1, 2));
    const out = library.room(12);
    const call = (by: Library, ...outs: (number | Piece)[]): number =>
      by.call('sliding', state, from, 3, ...outs);
    assert.equal(call(library, 0, out, 0, out), 7);
    assert.equal(call(library, 0, 0, 0, 0), 0);
    assert.equal(call(library, 0, out, 0, 0), 0);
    assert.deepEqual([...library.floats(out)], [3, 3, 3]);
  });
});
