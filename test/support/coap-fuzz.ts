import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMessage } from '../../host/protocols/coap/message.js';
import { SluiceError } from '../../runtime/index.js';

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
