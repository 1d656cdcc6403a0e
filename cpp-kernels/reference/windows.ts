/** Windows of one channel in doubles: src/rms.h, src/peak.h, src/crest.h, src/spread.h, src/kurtosis.h. */
import { sum } from './exact-sum.js';

/** Each whole window. */
export function windowsOf(samples: Float32Array, window: number, hop: number): Float32Array[] {
  const list: Float32Array[] = [];
  for (let first = 0; first + window <= samples.length; first += hop)
    list.push(samples.subarray(first, first + window));
  return list;
}

export function rms(window: Float32Array): number {
  return Math.sqrt(sum(Array.from(window, x => x * x)) / window.length);
}

export function peak(window: Float32Array): number {
  return window.reduce(
    (most, x) => (Number.isNaN(x) || Number.isNaN(most) ? Number.NaN : Math.max(most, Math.abs(x))),
    0,
  );
}

export function crest(window: Float32Array): number {
  return peak(window) === 0 ? 0 : peak(window) / rms(window);
}

export interface Spread {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  readonly deviation: number;
}

export function spread(window: ArrayLike<number>): Spread {
  const list = Array.from(window);
  const mean = sum(list) / list.length;
  return {
    least: Math.min(...list),
    most: Math.max(...list),
    mean,
    deviation: Math.sqrt(sum(list.map(x => (x - mean) ** 2)) / list.length),
  };
}

export function kurtosis(window: Float32Array): number {
  const { mean } = spread(window);
  const variance = sum(Array.from(window, x => (x - mean) ** 2)) / window.length;
  return variance === 0 ? 0 : sum(Array.from(window, x => (x - mean) ** 4)) / window.length / variance ** 2;
}

/** Mean of |x|: bounds are told by it. */
export function meanMagnitude(window: ArrayLike<number>): number {
  return sum(Array.from(window, Math.abs)) / window.length;
}
