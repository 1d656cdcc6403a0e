import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc16Modbus, crc32c } from '../../cpp-kernels/reference/crc.js';
import { ERRNO, onBoth } from './library.js';
import { cuts } from './numbers.js';

/** A checksum of bytes that come in pieces. */
function checksum(name: string, pieces: readonly Uint8Array[], start: number, off = 0): number {
  return onBoth(library => {
    const crc = library.put(Uint32Array.of(start));
    for (const piece of pieces) library.run(name, library.put(piece, off), piece.length, crc);
    return library.word(crc);
  });
}

for (const [name, start, reference, check] of [
  ['crc16_modbus', 0xffff, crc16Modbus, 0x4b37],
  ['crc32c', 0, crc32c, 0xe3069283],
] as const) {
  test(`${name} of the text 123456789 is what its catalogue says`, () => {
    assert.equal(checksum(name, [Buffer.from('123456789')], start), check);
  });

  test(`${name} of any bytes, in any pieces, anywhere in memory, is the sum bit by bit`, () => {
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        places,
        fc.nat({ max: 15 }),
        (bytes, at, off) => {
          let from = 0;
          const pieces = cuts(bytes.length, at).map(length => {
            from += length;
            return bytes.subarray(from - length, from);
          });
          assert.equal(checksum(name, pieces, start, off), reference(bytes));
        },
      ),
      { numRuns: 100, seed: 18 },
    );
  });
}

test('a Modbus RTU frame with its CRC behind it, low byte first, gives 0', () => {
  // Read one holding register of device 17.
  const frame = Uint8Array.from([0x11, 0x03, 0x00, 0x6b, 0x00, 0x03, 0x76, 0x87]);
  assert.equal(checksum('crc16_modbus', [frame], 0xffff), 0);
});

test('a sum of more than 16 bits in front is EINVAL', () => {
  onBoth(library => {
    const crc = library.put(Uint32Array.of(0x10000));
    assert.equal(library.call('crc16_modbus', library.put(new Uint8Array(4)), 4, crc), ERRNO.EINVAL);
    assert.equal(library.word(crc), 0x10000);
  });
});
