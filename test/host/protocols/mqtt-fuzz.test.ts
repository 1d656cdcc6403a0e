import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bestTimeOf, MQTT_STREAMS, publisher, subscriber } from '../../support/fuzz/mqtt-fuzz.js';

for (const [what, anyStream] of MQTT_STREAMS) {
  test(`MQTT ${what}: any stream, however it is split, gives the same packets and no error but that of the protocol`, () => {
    fc.assert(anyStream, { numRuns: 1_500 });
  });
}

test('64 KiB of the smallest messages, of PUBRELs, of one-byte topics and of PUBACKs take 5 ms at most', () => {
  for (const [make, packets] of [
    [subscriber, [0x30, 2, 0, 0]],
    [subscriber, [0x30, 3, 0, 1, 97]],
    [subscriber, [0x62, 2, 0, 1]],
    [subscriber, [0x34, 5, 0, 1, 97, 0, 1]],
    [publisher, [0x40, 2, 0, 1]],
    [publisher, [0xd0, 0]],
  ] as const) {
    const ms = bestTimeOf(make, 4, Buffer.from(packets), 5);
    assert.ok(ms <= 5, `${packets} took ${ms} ms`);
  }
});
