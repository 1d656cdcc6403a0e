import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MBAP, MbapParser } from '../../../host/protocols/mbap.js';
import { SluiceError } from '../../../runtime/index.js';

/** Any well-formed ADU: header, and 1 to 253 bytes of PDU. */
const anyAdu = fc
  .record({
    transaction: fc.nat(0xffff),
    unit: fc.nat(0xff),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
  })
  .map(({ transaction, unit, pdu }) => {
    const bytes = Buffer.alloc(7 + pdu.length);
    bytes.writeUInt16BE(transaction, 0);
    bytes.writeUInt16BE(1 + pdu.length, 4);
    bytes[6] = unit;
    bytes.set(pdu, 7);
    return bytes;
  });

interface Outcome {
  readonly frames: string[];
  readonly code: string | undefined;
}

/** Cuts `stream` at these places, parses the pieces, and notes what came out. */
function parse(stream: Buffer, cuts: readonly number[], parser = new MbapParser()): Outcome {
  const frames: string[] = [];
  const places = [0, ...cuts.map(cut => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  try {
    for (let i = 1; i < places.length; i++) {
      // A chunk of its own each time, wiped afterwards: a parser that kept a view on it would show.
      const chunk = Uint8Array.from(stream.subarray(places[i - 1], places[i]));
      parser.feed(chunk);
      while (parser.next()) frames.push(frameOf(parser));
      chunk.fill(0xee);
    }
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { frames, code: thrown.code };
  }
  return { frames, code: undefined };
}

function frameOf(parser: MbapParser): string {
  const bytes = Buffer.from(parser.bytes.subarray(parser.start, parser.end));
  assert.equal(parser.transaction, bytes.readUInt16BE(0));
  assert.equal(parser.unit, bytes[6]);
  assert.equal(parser.function, bytes[7]);
  return bytes.toString('hex');
}

test('any split of any sequence of ADUs gives the same frames', () => {
  fc.assert(
    fc.property(fc.array(anyAdu, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (adus, cuts) => {
      const { frames, code } = parse(Buffer.concat(adus), cuts);
      assert.equal(code, undefined);
      assert.deepEqual(
        frames,
        adus.map(adu => adu.toString('hex')),
      );
    }),
  );
});

test('a stream fed byte by byte gives its frames', () => {
  fc.assert(
    fc.property(fc.array(anyAdu, { minLength: 1, maxLength: 3 }), adus => {
      const stream = Buffer.concat(adus);
      const { frames } = parse(
        stream,
        Array.from(stream, (_, i) => i),
      );
      assert.deepEqual(
        frames,
        adus.map(adu => adu.toString('hex')),
      );
    }),
    { numRuns: 30 },
  );
});

test('random bytes give frames or one coded error, the same for every split', () => {
  let broken = 0;
  let whole = 0;
  // Noise between frames, so that streams break in every place and not only at their first byte.
  const anyPiece = fc.oneof(
    anyAdu,
    fc.uint8Array({ maxLength: 12 }),
    fc.uint8Array({ max: 2, maxLength: 12 }),
  );
  fc.assert(
    fc.property(
      fc.array(anyPiece, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (pieces, cuts) => {
        const stream = Buffer.concat(pieces);
        const outcome = parse(stream, cuts);
        assert.deepEqual(outcome, parse(stream, []));
        if (outcome.code !== undefined) assert.equal(outcome.code, 'SLUICE_SOURCE_PROTOCOL');
        broken += outcome.code === undefined ? 0 : 1;
        whole += outcome.frames.length;
      },
    ),
    { numRuns: 500, seed: 7 },
  );
  assert.ok(
    broken > 50 && whole > 50,
    `${broken} broken streams and ${whole} frames are too few to mean anything`,
  );
});

test('a frame that never ends keeps at most one ADU of memory', () => {
  const parser = new MbapParser();
  const header = [0, 1, 0, 0, 0, 254, 1, 3];
  for (let i = 0; i < 259; i++) {
    parser.feed(Uint8Array.of(header[i] ?? 0));
    assert.equal(parser.next(), false);
    assert.equal(parser.partial, i + 1);
  }
  assert.ok(parser.partial < MBAP.maxAdu);
  parser.feed(Uint8Array.of(0));
  assert.equal(parser.next(), true);
  assert.equal(parser.end - parser.start, MBAP.maxAdu);
  assert.equal(parser.partial, 0);
});

for (const [what, header, text] of [
  [
    'a protocol id other than 0',
    [0, 7, 0x12, 0x34, 0, 6],
    /protocol id 4660 where Modbus has 0 \(header 000712340006\)/,
  ],
  [
    'a web server',
    [...Buffer.from('HTTP/1')],
    /\(header 485454502f31, as text "HTTP\/1": no Modbus device\)/,
  ],
  ['a length that leaves no room for a function', [0, 7, 0, 0, 0, 1], /length 1 outside 2-254/],
  ['a length beyond the largest ADU', [0, 7, 0, 0, 0, 255], /length 255 outside 2-254/],
  ['a length of 65535', [0, 7, 0, 0, 255, 255], /length 65535 outside 2-254/],
] as const) {
  test(`${what} is a protocol error as soon as the header is there, in one piece or in six`, () => {
    for (const cuts of [[], [1, 2, 3, 4, 5]]) {
      const parser = new MbapParser();
      const pieces = [0, ...cuts, header.length];
      assert.throws(
        () => {
          for (let i = 1; i < pieces.length; i++) {
            parser.feed(Uint8Array.from(header.slice(pieces[i - 1], pieces[i])));
            parser.next();
          }
        },
        (thrown: unknown) =>
          thrown instanceof SluiceError &&
          thrown.code === 'SLUICE_SOURCE_PROTOCOL' &&
          text.test(thrown.message),
      );
    }
  });
}

test('frames taken back and fed again are the same frames, wherever the reader stopped', () => {
  fc.assert(
    fc.property(
      fc.array(anyAdu, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.nat(5),
      (adus, cuts, stopAt) => {
        const stream = Buffer.concat(adus);
        const parser = new MbapParser();
        const places = [
          0,
          ...cuts.map(cut => cut % (stream.length + 1)).sort((a, b) => a - b),
          stream.length,
        ];
        const frames: string[] = [];
        let stopped = false;
        for (let i = 1; i < places.length; i++) {
          parser.feed(Uint8Array.from(stream.subarray(places[i - 1], places[i])));
          while (parser.next()) {
            if (!stopped && frames.length === stopAt) {
              stopped = true;
              parser.feed(parser.takeBack());
              continue;
            }
            frames.push(frameOf(parser));
          }
        }
        assert.deepEqual(
          frames,
          adus.map(adu => adu.toString('hex')),
        );
      },
    ),
  );
});

test('what was kept of a chunk is read on though its memory is used for something else', () => {
  fc.assert(
    fc.property(fc.array(anyAdu, { maxLength: 6 }), fc.nat(6), fc.nat(3000), (adus, keepAt, cut) => {
      const stream = Buffer.concat(adus);
      const parser = new MbapParser();
      const frames: string[] = [];
      for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
        const chunk = Uint8Array.from(piece);
        parser.feed(chunk);
        while (frames.length !== keepAt && parser.next()) frames.push(frameOf(parser));
        parser.keep();
        chunk.fill(0xee);
        while (parser.next()) frames.push(frameOf(parser));
      }
      assert.deepEqual(
        frames,
        adus.map(adu => adu.toString('hex')),
      );
    }),
  );
});

test('a parser that was reset begins with a new stream', () => {
  const parser = new MbapParser();
  assert.equal(parse(Buffer.from([0, 1, 0, 9, 0, 6]), [3], parser).code, 'SLUICE_SOURCE_PROTOCOL');
  parser.reset();
  const { frames, code } = parse(Buffer.from([0, 2, 0, 0, 0, 3, 1, 0x83, 2]), [], parser);
  assert.equal(code, undefined);
  assert.deepEqual(frames, ['000200000003018302']);
});

test('a chunk fed before the last one is used up is refused', () => {
  const parser = new MbapParser();
  parser.feed(Uint8Array.of(0));
  assert.throws(() => parser.feed(Uint8Array.of(1)), { code: 'SLUICE_INTERNAL' });
});
