import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineCursor } from '../../../host/protocols/ndjson.js';
import { anyLines, anyTopic } from '../../support/fuzz/http-fuzz.js';

test('lines are those that splitting and trimming gives, for any bytes', () => {
  fc.assert(anyLines, { numRuns: 500 });
});

test('a path gives a topic that MQTT would take, or none', () => {
  fc.assert(anyTopic, { numRuns: 500 });
});

test('a cursor forgets the body before', () => {
  const cursor = new LineCursor();
  cursor.over(Buffer.from('abc'));
  cursor.next();
  cursor.over(Buffer.from('x'));
  assert.ok(cursor.next());
  assert.deepEqual([cursor.start, cursor.end], [0, 1]);
});
