import assert from 'node:assert/strict';
import fc from 'fast-check';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { readMessage } from '../../../host/protocols/coap/message.js';
import { OPTION, option } from '../../../host/protocols/coap/option.js';
import { Representation } from '../../../host/protocols/coap/representation.js';
import { writeMessage } from '../../../host/protocols/coap/write-message.js';
import { SluiceError } from '../../../runtime/index.js';

/** Headers that are right more often than not, with anything behind them. */
const almost = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom(1, 2, 3, 0, 69), fc.uint8Array({ maxLength: 80 }))
  .map(([first, code, rest]) => Buffer.from([0x40 | (first & 0x38) | (first % 9), code, 0, 1, ...rest]));

/** Any datagram gives a message or a coded error. */
export const anyDatagram = fc.property(
  fc.oneof(almost, fc.uint8Array({ maxLength: 40 }).map(Buffer.from)),
  bytes => {
    try {
      const { token, payload, path } = readMessage(bytes);
      assert.ok(token.length <= 8 && payload.length < bytes.length);
      assert.ok(path === undefined || path.length <= bytes.length);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      assert.equal(thrown.code, 'SLUICE_SOURCE_PROTOCOL');
    }
  },
);

const MOST = 200;

/** Answers of a device that is right more often than not. */
const answers = fc.array(
  fc.record({
    /** undefined: the one that is next. */
    number: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined, freq: 8 }),
    isBlock: fc.boolean(),
    more: fc.boolean(),
    size: fc.constantFrom(16, 16, 16, 32, 1024),
    bytes: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 8 }),
    etag: fc.constantFrom(1, 1, 1, 2, 0),
  }),
  { maxLength: 12 },
);

/** Whatever a device answers, what comes of it is the sum of the blocks that were taken, or a coded error. */
export const anyAnswers = fc.property(answers, all => {
  const representation = new Representation(MOST);
  const taken: Buffer[] = [];
  for (const [n, { number, isBlock, more, size, bytes, etag }] of all.entries()) {
    const { length } = representation;
    const block = { number: number ?? Math.floor(length / size), more, size };
    const payload = Buffer.alloc(bytes ?? size, n);
    const options = [
      ...(etag === 0 ? [] : [option(OPTION.etag, Buffer.from([etag]))]),
      ...(isBlock ? [blockOption(OPTION.block2, block)] : []),
    ];
    const message = { type: 'ack', id: 1, code: 0x45, token: Buffer.alloc(0), options, payload } as const;
    try {
      if (representation.take(readMessage(writeMessage(message))) === 'changed') continue;
      taken.push(payload);
      if (isBlock) assert.equal(block.number * size, length);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      assert.match(thrown.code, /^SLUICE_(SOURCE_PROTOCOL|FRAME_TOO_LARGE)$/);
    }
    assert.ok(representation.length <= MOST);
    assert.deepEqual(representation.whole(), Buffer.concat(taken));
  }
});
