/** Frames of interleaved channels, sample by sample: src/scale.h, src/clamp.h, src/deadband.h. */

export function scale(
  samples: Float32Array,
  gain: ArrayLike<number>,
  offset: ArrayLike<number>,
): Float32Array {
  return samples.map((x, i) =>
    Math.fround(Math.fround(x * at(gain, i % gain.length)) + at(offset, i % gain.length)),
  );
}

export function clamp(
  samples: Float32Array,
  least: ArrayLike<number>,
  most: ArrayLike<number>,
): Float32Array {
  return samples.map((x, i) => {
    const low = at(least, i % least.length);
    const high = at(most, i % least.length);
    return x < low ? low : x > high ? high : x;
  });
}

export function deadband(
  samples: Float32Array,
  band: ArrayLike<number>,
): { out: Float32Array; passed: number } {
  const last = new Map<number, number>();
  let passed = 0;
  const out = samples.map((x, i) => {
    const channel = i % band.length;
    const held = last.get(channel);
    const moved =
      held === undefined ||
      Number.isNaN(held) !== Number.isNaN(x) ||
      Math.abs(Math.fround(x - held)) > at(band, channel);
    if (moved) {
      last.set(channel, x);
      passed++;
    }
    return last.get(channel) as number;
  });
  return { out, passed };
}

function at(list: ArrayLike<number>, i: number): number {
  return list[i] as number;
}
