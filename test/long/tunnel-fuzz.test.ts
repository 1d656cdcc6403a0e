import { test } from 'node:test';
import fc from 'fast-check';
import { anyDamage, anyStream } from '../support/fuzz/tunnel-fuzz.js';
import { longCases } from './cases.js';

test('tunnel: any stream, however it is split, gives the same frames and no error but a coded one', () => {
  fc.assert(anyStream, { numRuns: longCases() });
});

test('tunnel: a frame of which one byte is another never passes for a frame', () => {
  fc.assert(anyDamage, { numRuns: longCases() });
});
