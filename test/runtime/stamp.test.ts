import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Stamp } from '../../runtime/index.js';

/** Of its words. */
function nanosOf({ low, high }: Stamp): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

test('a time in nanoseconds is kept whole', () => {
  const any = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(fc.property(any, nanos => nanosOf(Stamp.ofNanos(nanos)) === nanos));
});

test('a time in milliseconds is kept to the microsecond', () => {
  const ms = fc.integer({ min: 0, max: 4_102_444_800_000 });
  const property = fc.property(ms, fc.nat(999), (whole, micros) => {
    const nanos = BigInt(whole) * 1_000_000n + BigInt(micros) * 1000n;
    assert.equal(nanosOf(Stamp.ofMs(whole + micros / 1000)), nanos);
  });
  fc.assert(property);
});

test('a stamp that was set to words in between takes the same milliseconds anew', () => {
  const stamp = Stamp.ofMs(1_764_112_345_678);
  stamp.words(1, 2).set(1_764_112_345_678);
  assert.equal(nanosOf(stamp), 1_764_112_345_678_000_000n);
});
