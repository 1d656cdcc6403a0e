/** Filters over frames of interleaved channels in doubles: src/fir.h, src/biquad.h, src/average.h. */
import { ExactSum } from './exact-sum.js';

/** A result, and the sum of the absolute values that it was added up from. */
export interface Bounded {
  readonly value: number;
  readonly magnitude: number;
}

export function fir(samples: Float32Array, taps: Float32Array, channels: number): Bounded[] {
  return Array.from(samples, (_, i) => {
    const total = new ExactSum();
    for (let k = 0; k < taps.length && i - k * channels >= 0; k++)
      total.add((taps[k] as number) * (samples[i - k * channels] as number));
    // Before the stream there were zeros; an infinite sample meets them only as one that is not there yet.
    return { value: total.value, magnitude: total.magnitude };
  });
}

/** Sections of [b0, b1, b2, a1, a2], in direct form I; after what is not finite the channel goes on from rest. */
export function biquad(
  samples: Float32Array,
  sections: readonly (readonly number[])[],
  channels: number,
): number[] {
  const rest = (): number[] => [0, 0, 0, 0];
  const past = Array.from({ length: channels }, () => sections.map(rest));
  return Array.from(samples, (sample, i) => {
    let value = sample;
    const memory = past[i % channels] as number[][];
    sections.forEach(([b0 = 0, b1 = 0, b2 = 0, a1 = 0, a2 = 0], s) => {
      const [x1 = 0, x2 = 0, y1 = 0, y2 = 0] = memory[s] as number[];
      const y = b0 * value + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
      memory[s] = [value, x1, y, y1];
      value = y;
    });
    if (!Number.isFinite(value)) past[i % channels] = sections.map(rest);
    return value;
  });
}

export function average(samples: Float32Array, window: number, channels: number): Bounded[] {
  return Array.from(samples, (_, i) => {
    const total = new ExactSum();
    let count = 0;
    for (let at = i; at >= 0 && count < window; at -= channels, count++) total.add(samples[at] as number);
    return { value: total.value / count, magnitude: total.magnitude / count };
  });
}
