import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyMqttStream, bestTimeOf } from '../../support/fuzz/mqtt-fuzz.js';

test('MQTT: any stream, however it is split, gives the same packets and no error but that of the protocol', () => {
  fc.assert(anyMqttStream, { numRuns: 3_000 });
});

test('64 KiB of the smallest messages, of PUBRELs and of one-byte topics take 20 ms at most', () => {
  for (const packets of [
    [0x30, 2, 0, 0],
    [0x30, 3, 0, 1, 97],
    [0x62, 2, 0, 1],
    [0x34, 5, 0, 1, 97, 0, 1],
  ]) {
    // A tenth of it where nothing else runs; several times as much once a packet costs what is behind it.
    const ms = bestTimeOf(4, Buffer.from(packets), 20);
    assert.ok(ms <= 20, `${packets} took ${ms} ms`);
  }
});
