import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'coap-packet';
import fc from 'fast-check';
import { readBlock, writeBlock } from '../../../host/protocols/coap/block.js';
import { readMessage } from '../../../host/protocols/coap/message.js';
import { anyDatagram } from '../../support/coap-fuzz.js';

test('any datagram gives a message or a coded error', () => {
  fc.assert(anyDatagram, { numRuns: 2_000 });
});

test('block options are read as they were written, and the reserved size is refused', () => {
  const block = fc.record({
    number: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
    more: fc.boolean(),
    size: fc.constantFrom(16, 32, 64, 128, 256, 512, 1024),
  });
  fc.assert(fc.property(block, one => assert.deepEqual(readBlock(writeBlock(one)), { ...one })));
  // RFC 7959, 2.2: an option without a value is block 0 of 16 bytes.
  assert.deepEqual(readBlock(Buffer.alloc(0)), { number: 0, more: false, size: 16 });
  assert.throws(() => readBlock(Buffer.from([7])), { code: 'SLUICE_SOURCE_PROTOCOL' });
  assert.throws(() => readBlock(Buffer.alloc(4)), { code: 'SLUICE_SOURCE_PROTOCOL' });
});

test('an option that may come once and comes twice is bad if it is critical, and passed over if not', () => {
  const twice = (name: 'Accept' | 'Content-Format'): Buffer =>
    generate({
      code: 'POST',
      options: [
        { name, value: Buffer.from([50]) },
        { name, value: Buffer.from([60]) },
      ],
    });
  assert.equal(readMessage(twice('Accept')).badOption, 'Accept');
  const { badOption, contentFormat } = readMessage(twice('Content-Format'));
  assert.deepEqual([badOption, contentFormat], [undefined, 50]);
});

test('an option whose number alone is known is bad if it is odd, and passed over if it is even', () => {
  const badOption = (name: number): string | undefined =>
    readMessage(generate({ code: 'POST', options: [{ name, value: Buffer.from([1]) }] })).badOption;
  // 292: Request-Tag of RFC 9175, which libcoap sends with blocks.
  assert.deepEqual([badOption(292), badOption(65_001)], [undefined, '65001']);
});
