import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bandPower, magnitude, power, taper, tone } from '../../cpp-kernels/reference/spectrum.js';
import { ERRNO, onBoth } from './library.js';
import { assertClose, floats, noise, plainFloat, seldomOddFloat, U } from './numbers.js';

const KINDS = ['rectangle', 'hann', 'hamming', 'blackman-harris', 'flat-top'];

function tapered(kind: number, count: number): { values: Float32Array; sums: Float64Array } {
  return onBoth(library => {
    const out = library.room(count * 4);
    const sums = library.room(16);
    library.run('taper', kind, count, out, sums);
    return { values: library.floats(out), sums: library.doubles(sums) };
  });
}

for (const [kind, name] of KINDS.entries()) {
  test(`${name} is next to its formula, whatever its length, and its sums are those of what it is`, () => {
    for (const count of [1, 2, 5, 64, 1000, 65536]) {
      const { values, sums } = tapered(kind, count);
      const exact = taper(kind, count);
      for (const [n, value] of exact.entries())
        assertClose(values[n] as number, value, Math.abs(value) * U + 2 ** -48, `${n} of ${count}`);
      const total = values.reduce((sum, x) => sum + x, 0);
      const squares = values.reduce((sum, x) => sum + x * x, 0);
      assertClose(sums[0] as number, total, 1e-9 * count, 'sum');
      assertClose(sums[1] as number, squares, 1e-9 * count, 'squares');
    }
  });
}

test('power and magnitude of any bins are within their bounds, also in place; bins without a mirror image count half', () => {
  const scales = fc.constantFrom(0, 1, 2 / 1024, 1e-6);
  fc.assert(
    fc.property(floats(seldomOddFloat, 200), scales, fc.boolean(), (list, scale, inPlace) => {
      const bins = list.subarray(0, list.length & ~1);
      const count = bins.length / 2;
      for (const [name, reference] of [
        ['power', power],
        ['magnitude', magnitude],
      ] as const) {
        const results = onBoth(library => {
          const from = library.put(bins);
          const to = inPlace ? from : library.room(count * 4);
          library.run(name, from, count, scale, to);
          return library.floats(to, count);
        });
        reference(bins, scale).forEach((exact, k) => {
          // Hypot of an infinity and a NaN is infinite in JavaScript.
          const nan = Number.isNaN(bins[2 * k]) || Number.isNaN(bins[2 * k + 1]);
          const value = nan ? NaN : exact;
          // Twice: what is halved has been rounded before.
          assertClose(results[k] as number, value, Math.abs(value) * 2 ** -23 + 2 ** -148, `${name} ${k}`);
        });
      }
    }),
    { numRuns: 120, seed: 20 },
  );
});

test('the power of a band is within its bound; a bin belongs to the band that begins at it', () => {
  const edge = fc.integer({ min: 0, max: 120 });
  const anyBands = fc.array(fc.tuple(edge, edge), { maxLength: 5, size: 'max' });
  const spacings = fc.constantFrom(1, 0.1, 25600 / 4096, 1 / 3);
  fc.assert(
    fc.property(floats(plainFloat, 100), anyBands, spacings, (list, pairs, spacing) => {
      const density = list.map(Math.abs);
      const edges = pairs.flatMap(([a, b]) => [Math.min(a, b) * spacing, Math.max(a, b) * spacing]);
      const results = onBoth(library => {
        const out = library.room(pairs.length * 4);
        const bands = library.put(Float64Array.from(edges));
        library.run('band_power', library.put(density), density.length, spacing, bands, pairs.length, out);
        return library.floats(out);
      });
      pairs.forEach((_, i) => {
        const exact = bandPower(density, spacing, edges[2 * i] as number, edges[2 * i + 1] as number);
        assertClose(results[i] as number, exact, exact * 2 ** -23.9 + 2 ** -150, `band ${i}`);
      });
    }),
    { numRuns: 120, seed: 21 },
  );
});

test('noise has its variance in the bands together, as Parseval says', () => {
  const size = 4096;
  const rate = 1000;
  const samples = noise(size, 77);
  const variance = samples.reduce((sum, x) => sum + x * x, 0) / size;
  const whole = onBoth(library => {
    const weights = library.room(size * 4);
    const sums = library.room(16);
    library.run('taper', 1, size, weights, sums);
    const plan = library.state('fft', [size], [size]);
    const from = library.put(samples);
    const bins = library.room(size * 4 + 8);
    library.run('multiply', from, weights, size, from);
    library.run('fft', plan, from, bins);
    library.run('power', bins, size / 2 + 1, 2 / (rate * (library.doubles(sums)[1] as number)), bins);
    const out = library.room(4);
    library.run(
      'band_power',
      bins,
      size / 2 + 1,
      rate / size,
      library.put(Float64Array.of(0, Infinity)),
      1,
      out,
    );
    return library.floats(out);
  });
  assert.ok(Math.abs((whole[0] as number) / variance - 1) < 0.05);
});

test('goertzel is within its bound of the sum as it is written, for any samples, tones and place in memory', () => {
  const frequencies = fc.array(fc.double({ min: 0, max: 0.5, noNaN: true }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(floats(plainFloat, 400), frequencies, fc.nat({ max: 15 }), (samples, tones, off) => {
      const results = onBoth(library => {
        const out = library.room(tones.length * 8);
        const list = library.put(Float64Array.from(tones));
        library.run('goertzel', library.put(samples, off), samples.length, list, tones.length, out);
        return library.floats(out);
      });
      const magnitudes = samples.reduce((sum, x) => sum + Math.abs(x), 0);
      const slack = (2 ** -40 + samples.length * 2 ** -56) * magnitudes + 2 ** -150;
      tones.forEach((frequency, i) => {
        const { re, im } = tone(samples, frequency);
        assertClose(results[2 * i] as number, re, Math.abs(re) * U + slack, `real part at ${frequency}`);
        assertClose(
          results[2 * i + 1] as number,
          im,
          Math.abs(im) * U + slack,
          `imaginary part at ${frequency}`,
        );
      });
    }),
    { numRuns: 120, seed: 22 },
  );
});

test('goertzel of a long window is within its bound at frequencies next to 0 and to those that its recursion likes least', () => {
  const samples = noise(1 << 17, 4);
  const magnitudes = samples.reduce((sum, x) => sum + Math.abs(x), 0);
  const slack = (2 ** -40 + samples.length * 2 ** -56) * magnitudes;
  for (const frequency of [0, 1e-9, 3e-6, 0.0625, 0.125, 0.125 + 1e-7, 0.25, 0.5]) {
    const results = onBoth(library => {
      const out = library.room(8);
      library.run(
        'goertzel',
        library.put(samples),
        samples.length,
        library.put(Float64Array.of(frequency)),
        1,
        out,
      );
      return library.floats(out);
    });
    const { re, im } = tone(samples, frequency);
    assertClose(results[0] as number, re, Math.abs(re) * U + slack, `real part at ${frequency}`);
    assertClose(results[1] as number, im, Math.abs(im) * U + slack, `imaginary part at ${frequency}`);
  }
});

test('scales, spacings, edges and frequencies that make no sense are EDOM, and nothing is written', () => {
  onBoth(library => {
    const from = library.put(new Float32Array(16));
    const out = library.room(64);
    for (const scale of [-1, NaN, Infinity]) {
      assert.equal(library.call('power', from, 8, scale, out), ERRNO.EDOM);
      assert.equal(library.call('magnitude', from, 8, scale, out), ERRNO.EDOM);
    }
    const edges = (...list: number[]) => library.put(Float64Array.from(list));
    for (const spacing of [0, -1, NaN, Infinity])
      assert.equal(library.call('band_power', from, 16, spacing, edges(0, 1), 1, out), ERRNO.EDOM);
    for (const pair of [
      [2, 1],
      [-1, 1],
      [NaN, 1],
      [0, NaN],
    ])
      assert.equal(library.call('band_power', from, 16, 1, edges(...pair), 1, out), ERRNO.EDOM);
    for (const frequency of [-1e-9, 0.50001, NaN, Infinity])
      assert.equal(library.call('goertzel', from, 16, edges(0.1, frequency), 2, out), ERRNO.EDOM);
    assert.equal(library.call('taper', 5, 16, out, edges(0, 0)), ERRNO.EINVAL);
    assert.equal(library.call('taper', 1, 0, out, edges(0, 0)), ERRNO.EINVAL);
    assert.equal(library.call('taper', 1, 65537, out, edges(0, 0)), ERRNO.EINVAL);
    assert.ok(library.bytes(out).every(byte => byte === 0xee));
  });
});
