import { test } from 'node:test';
import fc from 'fast-check';
import { anyLines, anyTopic } from '../support/fuzz/http-fuzz.js';
import { longCases } from './cases.js';

test('HTTP: the lines of any body are those that splitting and trimming gives', () => {
  fc.assert(anyLines, { numRuns: longCases() });
});

test('HTTP: a path gives a topic that MQTT would take, or none', () => {
  fc.assert(anyTopic, { numRuns: longCases() });
});
