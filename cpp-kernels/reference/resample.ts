/** Another sample rate by a low-pass in doubles, straight from its formula: src/resample.h. */
import { ExactSum } from './exact-sum.js';
import type { Bounded } from './filters.js';

/** One channel. `taps` is what the kernel says: sluice_kernel_resample_taps. */
export function resample(
  samples: Float32Array,
  up: number,
  down: number,
  zeros: number,
  taps: number,
): Bounded[] {
  const [l, m] = reduced(up, down);
  const cutoff = Math.min(1, l / m) * (0.5 - (0.5 * 72.05) / (2.285 * 2 * Math.PI * 2 * zeros));
  const rows = Array.from({ length: l }, (_, phase) => {
    // row[q]: for the sample that is q older than the newest.
    const row = Array.from({ length: taps }, (_unused, q) =>
      prototype(q + phase / l - taps / 2, cutoff, taps),
    );
    const total = row.reduce((sum, tap) => sum + tap, 0);
    return row.map(tap => tap / total);
  });
  const results: Bounded[] = [];
  for (let t = 0; Math.floor(t / l) < samples.length; t += m) {
    const newest = Math.floor(t / l);
    const row = rows[t % l] as number[];
    const total = new ExactSum();
    for (let q = 0; q < taps && newest - q >= 0; q++)
      total.add((row[q] as number) * (samples[newest - q] as number));
    results.push({ value: total.value, magnitude: total.magnitude });
  }
  return results;
}

/** The sinc under its Kaiser window, `at` samples of the input from its middle. */
function prototype(at: number, cutoff: number, taps: number): number {
  const x = 2 * cutoff * at;
  const edge = (2 * at) / taps;
  const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  return sinc * bessel(8 * Math.sqrt(Math.max(0, 1 - edge * edge)));
}

function bessel(x: number): number {
  let term = 1;
  let total = 1;
  for (let k = 1; term > total * 1e-18; k++) {
    term *= (x / (2 * k)) ** 2;
    total += term;
  }
  return total;
}

function reduced(up: number, down: number): [number, number] {
  let [a, b] = [up, down];
  while (b !== 0) [a, b] = [b, a % b];
  return [up / a, down / a];
}
