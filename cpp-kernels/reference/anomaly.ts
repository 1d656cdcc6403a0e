/** Scores over frames of interleaved channels in doubles: src/zscore.h, src/ewma.h. */
import { spread } from './windows.js';

export interface Score {
  readonly value: number;
  /** What the score was divided by. */
  readonly deviation: number;
}

export function zscore(samples: Float32Array, window: number, channels: number, least: number): Score[] {
  return Array.from(samples, (x, i) => {
    const before: number[] = [];
    for (let at = i - channels; at >= 0 && before.length < window; at -= channels)
      before.push(samples[at] as number);
    if (Number.isNaN(x)) return { value: Number.NaN, deviation: 1 };
    if (before.length < window) return { value: 0, deviation: 1 };
    const { mean, deviation } = spread(before);
    const by = deviation < least ? least : deviation;
    return { value: (x - mean) / by, deviation: by };
  });
}

export function ewma(
  samples: Float32Array,
  channels: number,
  weight: number,
  settle: number,
  least: number,
): Score[] {
  const past = Array.from({ length: channels }, () => ({ mean: 0, variance: 0, count: 0 }));
  return Array.from(samples, (x, i) => {
    const channel = past[i % channels] as (typeof past)[number];
    if (!Number.isFinite(x)) return { value: Number.NaN, deviation: 1 };
    const off = x - channel.mean;
    const deviation = Math.max(Math.sqrt(channel.variance), least);
    channel.count++;
    const a = Math.max(1 / channel.count, weight);
    channel.mean += a * off;
    channel.variance = (1 - a) * (channel.variance + a * off * off);
    return { value: channel.count > settle ? off / deviation : 0, deviation };
  });
}
