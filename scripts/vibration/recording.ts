/** A machine's vibration, as a sensor of three axes records it: the same bytes each time. */

/** Samples a second, of each axis. */
export const RATE = 25_600;
const AXES = 3;
/** Frames of a block: a tenth of a second. */
export const BLOCK_FRAMES = 2560;

const SHAFT_HZ = 49.3;
/** A rolling element passes a dent this often, and each time the housing rings. */
const DENT_HZ = 107;
const RING_HZ = 3100;
const RING_SECONDS = 0.002;
/** How much of each reaches x, y and z. */
const SHAFT = [900, 700, 300] as const;
const DENT = [2600, 900, 400] as const;
const NOISE = 120;

/**
 * Blocks of 16-bit little-endian samples, x y z x y z ...; the bearing gets its dent after `faultAfter` seconds.
 * A count is a thousandth of g.
 */
export function* recording(seconds: number, faultAfter: number): Generator<Buffer> {
  let seed = 1;
  const noise = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed / 2 ** 31 - 1) * NOISE;
  };
  const frames = Math.round(seconds * RATE);
  for (let first = 0; first < frames; first += BLOCK_FRAMES) {
    const count = Math.min(BLOCK_FRAMES, frames - first);
    const block = Buffer.alloc(count * AXES * 2);
    for (let i = 0; i < count; i++) {
      const time = (first + i) / RATE;
      const shaft = Math.sin(2 * Math.PI * SHAFT_HZ * time) + 0.3 * Math.sin(4 * Math.PI * SHAFT_HZ * time);
      const ring = time < faultAfter ? 0 : ringing(time - faultAfter);
      for (let axis = 0; axis < AXES; axis++) {
        const value = SHAFT[axis]! * shaft + DENT[axis]! * ring + noise();
        block.writeInt16LE(Math.round(value), (i * AXES + axis) * 2);
      }
    }
    yield block;
  }
}

function ringing(time: number): number {
  const since = time % (1 / DENT_HZ);
  return Math.exp(-since / RING_SECONDS) * Math.sin(2 * Math.PI * RING_HZ * since);
}
