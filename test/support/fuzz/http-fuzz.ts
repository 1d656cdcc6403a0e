import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineCursor } from '../../../host/protocols/ndjson.js';
import { topicBytes } from '../../../host/sources/http/http-names.js';
import { anyPoint } from './any-text.js';

function linesOf(bytes: Buffer): string[] {
  const cursor = new LineCursor();
  cursor.over(bytes);
  const lines: string[] = [];
  while (cursor.next()) lines.push(bytes.toString('latin1', cursor.start, cursor.end));
  return lines;
}

/** The lines of any body are those that splitting and trimming gives. */
export const anyLines = fc.property(
  fc.string({ unit: fc.constantFrom('a', '"', ' ', '\t', '\r', '\n', '\0', '\xff'), maxLength: 60 }),
  text => {
    const expected = text
      .split('\n')
      .map(line => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
      .filter(line => line !== '');
    assert.deepEqual(linesOf(Buffer.from(text, 'latin1')), expected);
  },
);

/** What a path gives is a topic that MQTT would take, byte for byte, or none. */
export const anyTopic = fc.property(
  fc.string({
    unit: fc.oneof(fc.constantFrom('a', '/', '+', '#', '\0', '\u{feff}', '\ud800'), anyPoint),
    maxLength: 30,
  }),
  text => {
    const bytes = topicBytes(text);
    const good = text !== '' && !/[+#\0]/.test(text);
    if (!good) assert.equal(bytes, undefined);
    else if (bytes !== undefined) assert.equal(bytes.toString(), text.toWellFormed());
  },
);
