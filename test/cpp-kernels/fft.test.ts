import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Complex, fft, tone } from '../../cpp-kernels/reference/spectrum.js';
import { ERRNO, onBoth } from './library.js';
import { floats, noise, plainFloat, U } from './numbers.js';

const SIZES = Array.from({ length: 15 }, (_, i) => 4 << i);

/** Bins as pairs; a NaN may be any of its kind. */
function transformed(samples: Float32Array): Float32Array {
  return onBoth(library => {
    const plan = library.state('fft', [samples.length], [samples.length]);
    const out = library.room(samples.byteLength + 8);
    library.run('fft', plan, library.put(samples), out);
    return library.floats(out).map(x => (Number.isNaN(x) ? NaN : x));
  });
}

/** The root of the summed squares of the error, over that of the result. */
function relativeError(bins: Float32Array, exact: readonly Complex[]): number {
  let error = 0;
  let whole = 0;
  for (const [k, { re, im }] of exact.entries()) {
    error += ((bins[2 * k] as number) - re) ** 2 + ((bins[2 * k + 1] as number) - im) ** 2;
    whole += re ** 2 + im ** 2;
  }
  return Math.sqrt(error / whole);
}

for (const size of SIZES) {
  test(`${size} samples: within the stated bound, for noise, a tone, an impulse and a constant`, () => {
    const signals = [
      noise(size, size),
      Float32Array.from({ length: size }, (_, i) => Math.sin((2 * Math.PI * 1.3 * i) / 4)),
      Float32Array.from({ length: size }, (_, i) => (i === size - 1 ? 3 : 0)),
      new Float32Array(size).fill(0.1),
    ];
    for (const samples of size > 16384 ? signals.slice(0, 1) : signals) {
      const error = relativeError(transformed(samples), fft(samples));
      assert.ok(error <= U * Math.log2(size), `${error / U} u, the bound is ${Math.log2(size)} u`);
    }
  });
}

test('any samples of 64: within the stated bound in each bin', () => {
  fc.assert(
    fc.property(floats(plainFloat, 64), list => {
      const samples = new Float32Array(64);
      samples.set(list);
      const bins = transformed(samples);
      const bound = U * 6 * Math.sqrt(64 * samples.reduce((sum, x) => sum + x * x, 0)) + 2 ** -140;
      fft(samples).forEach(({ re, im }, k) => {
        assert.ok(Math.hypot((bins[2 * k] as number) - re, (bins[2 * k + 1] as number) - im) <= bound);
      });
    }),
    { numRuns: 100, seed: 19 },
  );
});

test('the reference itself is the sum as it is written', () => {
  const samples = noise(64, 5);
  fft(samples).forEach(({ re, im }, k) => {
    const exact = tone(samples, k / 64);
    assert.ok(Math.hypot(re - exact.re, im - exact.im) < 1e-13);
  });
});

test('a whole sine of amplitude 1 is half of the samples in its bin, and nothing elsewhere', () => {
  const size = 4096;
  const bins = transformed(
    Float32Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * 100 * i) / size)),
  );
  assert.ok(Math.abs((bins[200] as number) - size / 2) < 0.01);
  assert.ok(bins.every((x, i) => i === 200 || Math.abs(x) < 0.01));
});

test('bin 0 and the last one are real; a NaN is in every bin', () => {
  for (const size of [4, 16, 32, 256, 512]) {
    const bins = transformed(noise(size, 2));
    assert.deepEqual(
      [bins[1], bins[size + 1]].map(x => (x as number) + 0),
      [0, 0],
    );
    const samples = noise(size, 2);
    samples[1] = NaN;
    const poisoned = transformed(samples);
    for (let k = 0; k <= size / 2; k++)
      assert.ok(poisoned.subarray(2 * k, 2 * k + 2).some(Number.isNaN), `bin ${k} of ${size}`);
  }
});

test('sizes that are no power of two, or too small or large, have no plan', () => {
  onBoth(library => {
    for (const size of [0, 1, 2, 3, 12, 1000, 65535, 131072, 2 ** 31]) {
      assert.equal(library.call('fft_bytes', size), 0);
      assert.equal(library.call('fft_init', library.room(1024), 1024, size), ERRNO.EINVAL);
    }
  });
});
