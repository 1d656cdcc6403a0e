import { test } from 'node:test';
import fc from 'fast-check';
import { MQTT_STREAMS } from '../support/fuzz/mqtt-fuzz.js';
import { longCases } from './cases.js';

for (const [what, anyStream] of MQTT_STREAMS) {
  test(`MQTT ${what}: any stream, however it is split, gives the same packets and no error but that of the protocol`, () => {
    fc.assert(anyStream, { numRuns: longCases() });
  });
}
