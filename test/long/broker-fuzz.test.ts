import { test } from 'node:test';
import fc from 'fast-check';
import { anyClientStream } from '../support/fuzz/broker-fuzz.js';
import { longCases } from './cases.js';

test('embedded broker: its gauge sees in pieces of any size what it sees in one, and never throws', () => {
  fc.assert(anyClientStream, { numRuns: longCases() });
});
