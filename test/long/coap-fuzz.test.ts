import { test } from 'node:test';
import fc from 'fast-check';
import { anyAnswers, anyDatagram } from '../support/fuzz/coap-fuzz.js';
import { longCases } from './cases.js';

test('CoAP: any datagram gives a message or a coded error', () => {
  fc.assert(anyDatagram, { numRuns: longCases() });
});

test('CoAP: a representation is the sum of its blocks, whatever answers come, or none', () => {
  fc.assert(anyAnswers, { numRuns: longCases() });
});
