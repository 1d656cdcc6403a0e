import { test } from 'node:test';
import fc from 'fast-check';
import { anyMqttStream } from '../support/fuzz/mqtt-fuzz.js';
import { longCases } from './cases.js';

test('MQTT: any stream, however it is split, gives the same packets and no error but that of the protocol', () => {
  fc.assert(anyMqttStream, { numRuns: longCases() });
});
