import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, parse } from 'coap-packet';
import fc from 'fast-check';
import { blockOption, readBlock } from '../../../host/protocols/coap/block.js';
import { codeText } from '../../../host/protocols/coap/code.js';
import { readMessage } from '../../../host/protocols/coap/message.js';
import { isNewer } from '../../../host/protocols/coap/observe-order.js';
import { OPTION, option } from '../../../host/protocols/coap/option.js';
import { Representation } from '../../../host/protocols/coap/representation.js';
import { writeMessage } from '../../../host/protocols/coap/write-message.js';
import { anyAnswers, anyDatagram } from '../../support/fuzz/coap-fuzz.js';

test('any datagram gives a message or a coded error', () => {
  fc.assert(anyDatagram, { numRuns: 2_000 });
});

test('what the header and the options reserve is refused: token lengths of 9 to 15, an option delta or length of 15', () => {
  const reserved = [
    ...[9, 10, 11, 12, 13, 14, 15].map(length =>
      Buffer.concat([Buffer.from([0x40 | length, 2, 0, 1]), Buffer.alloc(length)]),
    ),
    ...[0xf0, 0xf1, 0x0f, 0x1f].map(head =>
      Buffer.concat([Buffer.from([0x40, 2, 0, 1, head]), Buffer.alloc(300)]),
    ),
  ];
  for (const bytes of reserved)
    assert.throws(
      () => readMessage(bytes),
      { code: 'SLUICE_SOURCE_PROTOCOL', message: /token length|reserved/ },
      bytes.toString('hex', 0, 6),
    );
});

test('block options are read as they were written, and the reserved size is refused', () => {
  const block = fc.record({
    number: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
    more: fc.boolean(),
    size: fc.constantFrom(16, 32, 64, 128, 256, 512, 1024),
  });
  fc.assert(
    fc.property(block, one => assert.deepEqual(readBlock(blockOption(OPTION.block1, one).value), { ...one })),
  );
  // RFC 7959, 2.2: an option without a value is block 0 of 16 bytes.
  assert.deepEqual(readBlock(new Uint8Array(0)), { number: 0, more: false, size: 16 });
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
  assert.equal(readMessage(twice('Accept')).badOption, OPTION.accept);
  const { badOption, contentFormat } = readMessage(twice('Content-Format'));
  assert.deepEqual([badOption, contentFormat], [0, 50]);
});

test('an option whose number alone is known is bad if it is odd, and passed over if it is even', () => {
  const badOption = (name: number): number =>
    readMessage(generate({ code: 'POST', options: [{ name, value: Buffer.from([1]) }] })).badOption;
  // 292: Request-Tag of RFC 9175, which libcoap sends with blocks.
  assert.deepEqual([badOption(292), badOption(65_001)], [0, 65_001]);
});

test('what is written is read as it was, here and by coap-packet', () => {
  const one = fc.record({
    type: fc.constantFrom('con' as const, 'non' as const, 'ack' as const),
    id: fc.integer({ min: 0, max: 65_535 }),
    code: fc.constantFrom(0x01, 0x02, 0x44, 0x45, 0x5f, 0x84, 0xa3),
    token: fc.uint8Array({ maxLength: 8 }).map(Buffer.from),
    // Elective numbers, so that none is bad; lengths on both sides of 13 and 269.
    options: fc.array(
      fc.record({
        number: fc.constantFrom(4, 8, 14, 28, 60, 252, 292, 1_000),
        value: fc.constantFrom(0, 1, 3, 12, 13, 268, 269, 300).map(length => Buffer.alloc(length, 7)),
      }),
      { maxLength: 5 },
    ),
    payload: fc.uint8Array({ maxLength: 40 }).map(Buffer.from),
  });
  fc.assert(
    fc.property(one, message => {
      const options = message.options.filter(({ number, value }) => number !== 14 || value.length <= 4);
      const bytes = writeMessage({ ...message, options });
      const { type, id, code, token, payload } = readMessage(bytes);
      assert.deepEqual(
        { type, id, code, token, payload },
        {
          type: message.type,
          id: message.id,
          code: message.code,
          token: message.token,
          payload: message.payload,
        },
      );
      const parsed = parse(bytes);
      assert.deepEqual(
        [parsed.code, parsed.messageId, parsed.token, parsed.payload],
        [codeText(code), id, token, payload],
      );
      assert.deepEqual(
        parsed.options.map(({ value }) => value),
        options.toSorted((a, b) => a.number - b.number).map(({ value }) => value),
      );
    }),
  );
});

test('a path is joined from its segments, and is none if one of them is no UTF-8', () => {
  const pathOf = (...segments: Buffer[]): string | undefined =>
    readMessage(
      writeMessage({
        type: 'con',
        id: 1,
        code: 2,
        token: Buffer.alloc(0),
        options: segments.map(segment => option(OPTION.uriPath, segment)),
      }),
    ).path;
  assert.equal(pathOf(Buffer.from('halle'), Buffer.alloc(0), Buffer.from('größe')), 'halle/größe');
  assert.equal(pathOf(Buffer.from('a'), Buffer.from([0xff]), Buffer.from('b')), undefined);
});

test('a representation is the sum of its blocks, whatever answers come, or none', () => {
  fc.assert(anyAnswers, { numRuns: 1_000 });
});

test('a representation that becomes another one in the middle is not glued together', () => {
  const answer = (number: number, etag: number, more: boolean) =>
    readMessage(
      writeMessage({
        type: 'ack',
        id: 1,
        code: 0x45,
        token: Buffer.alloc(0),
        options: [
          option(OPTION.etag, Buffer.from([etag])),
          blockOption(OPTION.block2, { number, more, size: 16 }),
        ],
        payload: Buffer.alloc(16, number),
      }),
    );
  const one = new Representation(1_000);
  assert.equal(one.take(answer(0, 1, true)), 'more');
  assert.deepEqual(one.next, { number: 1, more: false, size: 16 });
  assert.equal(one.take(answer(1, 2, false)), 'changed');
  assert.throws(() => one.take(answer(2, 1, false)), { code: 'SLUICE_SOURCE_PROTOCOL' });
  assert.equal(one.take(answer(1, 1, false)), 'whole');
  assert.equal(one.whole().length, 32);
  const small = new Representation(16);
  small.take(answer(0, 1, true));
  assert.throws(() => small.take(answer(1, 1, false)), { code: 'SLUICE_FRAME_TOO_LARGE' });
});

test('a notification is newer by its number, around the end of the numbers too, or after 128 seconds', () => {
  assert.ok(isNewer(2, 0, 1, 0) && !isNewer(1, 0, 2, 0) && !isNewer(2, 0, 2, 0));
  assert.ok(isNewer(3, 0, 2 ** 24 - 1, 0) && !isNewer(2 ** 24 - 1, 0, 3, 0));
  assert.ok(isNewer(1, 128_001, 2, 0));
});
