/** Samples for tests of kernels: all kinds of floats, cut into calls anywhere. */
import assert from 'node:assert/strict';
import fc from 'fast-check';

/** Half a unit in the last place of 1 as float. */
export const U = 2 ** -24;

/** Numbers that go wrong first. */
const ODD_FLOATS = [
  0,
  -0,
  1e-45,
  -1e-40,
  1.17549435e-38,
  3.4028235e38,
  -3.4028235e38,
  Infinity,
  -Infinity,
  NaN,
];

export const plainFloat = fc.float({ noNaN: true, min: -1000, max: 1000 });

export const anyFloat = fc.oneof(
  { weight: 6, arbitrary: plainFloat },
  { weight: 1, arbitrary: fc.float() },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_FLOATS) },
);

/** Plain ones with few odd ones among them. */
export const seldomOddFloat = fc.oneof(
  { weight: 40, arbitrary: plainFloat },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_FLOATS) },
);

/** The same, without those whose sums overflow. */
export const summableFloat = seldomOddFloat.map(x => (Number.isFinite(x) && Math.abs(x) > 1e30 ? 1 : x));

export function floats(value: fc.Arbitrary<number>, most: number): fc.Arbitrary<Float32Array> {
  return fc.array(value, { maxLength: most, size: 'max' }).map(list => Float32Array.from(list));
}

/** Numbers that are random in each bit, the same for each seed. */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Equal as a float can be: NaN to NaN, infinity to infinity, and else within the bound. */
export function assertClose(result: number, exact: number, bound: number, what: string): void {
  if (Number.isNaN(exact)) assert.ok(Number.isNaN(result), `${what}: ${result}, not NaN`);
  else if (!Number.isFinite(Math.fround(exact))) assert.equal(result, Math.fround(exact), what);
  else
    assert.ok(
      Math.abs(result - exact) <= bound,
      `${what}: ${result}, not ${exact} (off by ${Math.abs(result - exact)}, the bound is ${bound})`,
    );
}

/** Lengths that a stream of `total` frames is cut into; some are 0. */
export function cuts(total: number, places: readonly number[]): number[] {
  const ends = [...places.map(place => Math.min(total, Math.floor(place * (total + 1)))), total].sort(
    (a, b) => a - b,
  );
  return ends.map((end, i) => end - (ends[i - 1] ?? 0));
}
