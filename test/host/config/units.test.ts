import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, parseSize } from '../../../host/config/units.js';

test('durations are read as milliseconds', () => {
  const read = ['100ms', '2s', '1.5m', '1h', '0ms', '2 s'].map(parseDuration);
  assert.deepEqual(read, [100, 2000, 90_000, 3_600_000, 0, 2000]);
});

test('sizes are read as bytes, binary and decimal', () => {
  const read = ['512B', '64KiB', '16MiB', '1GiB', '0.5KiB', '1kB', '2MB'].map(parseSize);
  assert.deepEqual(read, [512, 65536, 16777216, 1073741824, 512, 1000, 2000000]);
});

test('what has no unit, a sign or a foreign unit is no duration and no size', () => {
  for (const text of ['', '5', '-5ms', '+5ms', '5 minutes', '5MS', 'ms', '1e3ms', '5ms\n', ' 5ms', '٣s']) {
    assert.equal(parseDuration(text), undefined, text);
  }
  for (const text of ['', '5', '-5B', '5mib', 'MiB', '1e3B', '5KiB\n', '99999999999999TiB']) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test('a duration or size that was written is read back', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), value => {
      assert.equal(parseDuration(`${value}ms`), value);
      assert.equal(parseDuration(`${value}s`), value * 1000);
      assert.equal(parseSize(`${value}KiB`), value * 1024);
    }),
  );
});

test('no text makes the parsers throw or give anything but a whole or fractional number', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      for (const value of [parseDuration(text), parseSize(text)]) {
        assert.ok(value === undefined || (Number.isFinite(value) && value >= 0));
      }
    }),
  );
});
