import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineCursor } from '../../../host/protocols/ndjson.js';

function linesOf(bytes: Buffer): string[] {
  const cursor = new LineCursor();
  cursor.over(bytes);
  const lines: string[] = [];
  while (cursor.next()) lines.push(bytes.toString('latin1', cursor.start, cursor.end));
  return lines;
}

test('lines are those that splitting and trimming gives, for any bytes', () => {
  const unit = fc.constantFrom('a', '"', ' ', '\t', '\r', '\n', '\0', '\xff');
  const property = fc.property(fc.string({ unit, maxLength: 60 }), text => {
    const expected = text
      .split('\n')
      .map(line => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
      .filter(line => line !== '');
    assert.deepEqual(linesOf(Buffer.from(text, 'latin1')), expected);
  });
  fc.assert(property, { numRuns: 500 });
});

test('a cursor forgets the body before', () => {
  const cursor = new LineCursor();
  cursor.over(Buffer.from('abc'));
  cursor.next();
  cursor.over(Buffer.from('x'));
  assert.ok(cursor.next());
  assert.deepEqual([cursor.start, cursor.end], [0, 1]);
});
