import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { resample } from '../../cpp-kernels/reference/resample.js';
import { tone } from '../../cpp-kernels/reference/spectrum.js';
import { ERRNO, type Library, onBoth, type Piece } from './library.js';
import { assertClose, cuts, summableFloat, U } from './numbers.js';
import { anyStream, type Stream, whole } from './streams.js';

interface Rate {
  readonly up: number;
  readonly down: number;
  readonly zeros: number;
}

function open(library: Library, { up, down, zeros }: Rate, channels: number): Piece {
  return library.state('resample', [up, down, zeros, channels], [up, down, zeros, channels]);
}

function resampled(stream: Stream, rate: Rate): Float32Array {
  const { samples, channels, places } = stream;
  return onBoth(library => {
    const state = open(library, rate, channels);
    const room = library.room(4);
    const written = library.room(4);
    const pieces: Float32Array[] = [];
    let at = 0;
    for (const frames of cuts(samples.length / channels, places)) {
      library.run('resample_room', state, frames, room);
      const to = library.room(library.word(room) * channels * 4);
      const from = library.put(samples.subarray(at, at + frames * channels));
      library.run('resample', state, from, frames, to, library.word(room), written);
      assert.equal(library.word(written), library.word(room));
      pieces.push(library.floats(to));
      at += frames * channels;
    }
    return Float32Array.from(pieces.flatMap(piece => [...piece]));
  });
}

const tapsOf = ({ up, down, zeros }: Rate): number =>
  onBoth(library => library.call('resample_taps', up, down, zeros));

test('any rate in any calls is within the stated bound of the formula in doubles, and the same as in one call', () => {
  const rates = fc.record({
    up: fc.integer({ min: 1, max: 12 }),
    down: fc.integer({ min: 1, max: 12 }),
    zeros: fc.integer({ min: 4, max: 9 }),
  });
  fc.assert(
    fc.property(anyStream(summableFloat, { frames: 300, channels: 3 }), rates, (stream, rate) => {
      const results = resampled(stream, rate);
      assert.deepEqual(results, resampled(whole(stream), rate));
      const taps = tapsOf(rate);
      for (let channel = 0; channel < stream.channels; channel++) {
        const of = (list: Float32Array): Float32Array =>
          list.filter((_, i) => i % stream.channels === channel);
        const mine = of(results);
        const exact = resample(of(stream.samples), rate.up, rate.down, rate.zeros, taps);
        assert.equal(mine.length, exact.length);
        for (const [i, { value, magnitude }] of exact.entries()) {
          // Infinities meet taps of either sign, and zeros: what floats make of it.
          if (!(magnitude < 1e38)) continue;
          // One u more than stated: the reference's taps are not rounded to float.
          assertClose(mine[i] as number, value, (taps + 2) * U * magnitude + taps * 2 ** -149, `result ${i}`);
        }
      }
    }),
    { numRuns: 40, seed: 13 },
  );
});

function sine(frequency: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(2 * Math.PI * frequency * i));
}

/** How large a tone is in the second half, where the filter is full; under a taper, as it is cut off anywhere. */
function height(results: Float32Array, frequency: number): number {
  const half = results.subarray(results.length >> 1);
  const weights = Array.from(half, (_, n) => 1 - Math.cos((2 * Math.PI * n) / half.length));
  const { re, im } = tone(
    Float32Array.from(half, (x, n) => x * (weights[n] as number)),
    frequency,
  );
  return (2 * Math.hypot(re, im)) / half.length;
}

test('a tone that the new rate holds comes through within 0.1 %, one that it does not is 75 dB down', () => {
  const rate = { up: 1, down: 4, zeros: 32 };
  const through = (frequency: number): Float32Array =>
    resampled({ samples: sine(frequency, 20_000), channels: 1, places: [], inPlace: false }, rate);
  // The lower rate's half is 0.125 cycles a sample; up to 1 - 5 / 32 of it passes.
  for (const frequency of [0.001, 0.05, 0.1, 0.125 * (1 - 5 / 32)]) {
    const is = height(through(frequency), frequency * 4);
    assert.ok(Math.abs(is - 1) < 1e-3, `${frequency}: ${is}`);
  }
  for (const frequency of [0.125, 0.13, 0.2, 0.27, 0.49]) {
    const results = through(frequency);
    const largest = results.subarray(results.length >> 1).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    assert.ok(largest < 10 ** (-75 / 20), `${frequency}: ${20 * Math.log10(largest)} dB`);
  }
});

test('from 44,100 to 48,000 a tone keeps its frequency, its height, and comes taps / 2 samples late', () => {
  const rate = { up: 48_000, down: 44_100, zeros: 16 };
  const results = resampled(
    { samples: sine(1000 / 44_100, 8820), channels: 1, places: [0.37], inPlace: false },
    rate,
  );
  assert.equal(results.length, 9600);
  const late = tapsOf(rate) / 2 / 44_100;
  for (let i = 4800; i < 9600; i++) {
    const exact = Math.sin(2 * Math.PI * 1000 * (i / 48_000 - late));
    assert.ok(Math.abs((results[i] as number) - exact) < 2e-4, `${i}: ${results[i]}, not ${exact}`);
  }
});

test('a constant comes out as it went in, in every phase', () => {
  const samples = new Float32Array(2000).fill(7);
  const results = resampled(
    { samples, channels: 1, places: [], inPlace: false },
    { up: 7, down: 5, zeros: 8 },
  );
  assert.ok(results.subarray(1000).every(x => Math.abs(x - 7) < 7 * 40 * U));
});

test('too little room is ENOSPC and takes nothing; rates that there cannot be have no state', () => {
  onBoth(library => {
    const state = open(library, { up: 3, down: 1, zeros: 4 }, 1);
    const before = library.bytes(state);
    const from = library.put(new Float32Array(10));
    const to = library.room(29 * 4);
    assert.equal(library.call('resample', state, from, 10, to, 29, library.room(4)), ERRNO.ENOSPC);
    assert.deepEqual(library.bytes(state), before);
    for (const [up, down, zeros, channels] of [
      [0, 1, 8, 1],
      [1, 0, 8, 1],
      [1025, 1024, 8, 1],
      [1, 2, 3, 1],
      [1, 2, 65, 1],
      [1, 2, 8, 0],
      [1, 2, 8, 257],
    ])
      assert.equal(
        library.call('resample_bytes', up as number, down as number, zeros as number, channels as number),
        0,
      );
  });
});
