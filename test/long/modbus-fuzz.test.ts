import { test } from 'node:test';
import fc from 'fast-check';
import { anyLineBytes, anyModbusStream } from '../support/fuzz/modbus-fuzz.js';
import { longCases } from './cases.js';

test('Modbus TCP: any stream, however it is split, gives the same requests and answers, and no error but that of the protocol', () => {
  fc.assert(anyModbusStream, { numRuns: longCases() });
});

test('Modbus RTU: whatever comes gives at most one answer, of the size that was asked for or of an exception', () => {
  fc.assert(anyLineBytes, { numRuns: longCases() });
});
