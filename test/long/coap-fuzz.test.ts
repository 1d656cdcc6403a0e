import { test } from 'node:test';
import fc from 'fast-check';
import { anyDatagram } from '../support/coap-fuzz.js';
import { longCases } from './cases.js';

test('CoAP: any datagram gives a message or a coded error', () => {
  fc.assert(anyDatagram, { numRuns: longCases() });
});
