import { LIMITS } from '../../limits.js';
import type { Limits, Peak } from './facts.js';
import { PREFIX_BASE, PREFIX_SIZE } from './instructions.js';
import { skipSigned, skipUnsigned } from './leb.js';
import { Reader } from './reader.js';
import { type Features, MARK, type Tally } from './tally.js';
import type { TypeReader } from './value-types.js';

const SMALLEST_NAMED = 0x7c;
const EMPTY_BLOCK = 0x40;
const CAST_BOTH = 3;

/**
 * Function bodies: every instruction with what follows it. It counts blocks and does not judge types; that is the
 * compiler's work.
 */
export class CodeReader {
  body: Peak = { value: 0, offset: 0 };
  nesting: Peak = { value: 0, offset: 0 };
  locals: Peak = { value: 0, offset: 0 };
  readonly #reader: Reader;
  readonly #bytes: Uint8Array;
  readonly #tally: Tally;
  readonly #features: Features;
  readonly #types: TypeReader;
  readonly #memories: readonly Pick<Limits, 'wide'>[];

  /** @param reader of the section; `memories` those that code may name, imported ones first */
  constructor(
    reader: Reader,
    tally: Tally,
    features: Features,
    types: TypeReader,
    memories: readonly Pick<Limits, 'wide'>[],
  ) {
    this.#reader = reader;
    this.#bytes = reader.bytes;
    this.#tally = tally;
    this.#features = features;
    this.#types = types;
    this.#memories = memories;
  }

  /**
   * One entry of the section. @param index of the function
   * @throws SluiceError SLUICE_MODULE_MALFORMED, SLUICE_MODULE_FEATURE
   */
  function(index: number): void {
    const reader = this.#reader;
    const size = reader.u32();
    const offset = reader.at;
    if (size > reader.end - offset) reader.fail(`function ${index} is cut off`);
    if (size > this.body.value) this.body = { value: size, offset, function: index };
    const body = new Reader(this.#bytes, offset, offset + size);
    const locals = this.#locals(body);
    if (locals > this.locals.value) this.locals = { value: locals, offset, function: index };
    this.#expression(body, index);
    reader.at = body.end;
  }

  #locals(body: Reader): number {
    let locals = 0;
    for (let left = body.length('groups of locals'); left > 0; left--) {
      locals += body.u32();
      this.#types.value(body);
    }
    return locals;
  }

  /** The loop over instructions. Everything that is seldom lies outside, so that the compiler keeps it in registers. */
  #expression(body: Reader, index: number): void {
    const bytes = this.#bytes;
    const { counts, follows } = this.#tally;
    const mark = MARK;
    const { end } = body;
    let { at } = body;
    let depth = 0;
    let deepest = 0;
    let deepestAt = at;
    for (;;) {
      // What an instruction reads beyond the end of the body is refused here, before it is used.
      if (at >= end) body.fail(`function ${index} ends inside an instruction or without an end`, end);
      const from = at;
      let number = bytes[at++]!;
      let kind = follows[number]!;
      if (kind === 14) {
        const prefix = number;
        let code = bytes[at]!;
        if (code < 0x80) at++;
        else {
          body.at = at;
          code = body.u32();
          ({ at } = body);
        }
        number = code < PREFIX_SIZE[prefix]! ? PREFIX_BASE[prefix]! + code : 255;
        kind = follows[number]!;
      }
      counts[number]!++;
      if (kind >= mark) {
        this.#tally.sight(number, from, index);
        kind -= mark;
      }
      switch (kind) {
        case 0: // none
          break;
        case 1: // index
          if (bytes[at]! < 0x80) at++;
          else if (bytes[at + 1]! < 0x80) at += 2;
          else at = skipUnsigned(bytes, at, end, 32);
          break;
        case 2: // memory
          if (bytes[at]! < 0x40 && bytes[at + 1]! < 0x80) at += 2;
          else if (bytes[at]! < 0x40 && bytes[at + 2]! < 0x80) at += 3;
          else at = this.#memory(body, at, index);
          break;
        case 3: // i32
          if (bytes[at]! < 0x80) at++;
          else if (bytes[at + 1]! < 0x80) at += 2;
          else at = skipSigned(bytes, at, end, 32);
          break;
        case 4: {
          // block
          const type = bytes[at]!;
          if (type === EMPTY_BLOCK || (type >= SMALLEST_NAMED && type < 0x80)) at++;
          else at = this.#block(body, at);
          if (++depth > deepest) {
            deepest = depth;
            deepestAt = from;
          }
          break;
        }
        case 5: // end
          if (depth-- > 0) break;
          if (at !== end) body.fail(`function ${index} goes on behind its end`, at);
          if (deepest > this.nesting.value)
            this.nesting = { value: deepest, offset: deepestAt, function: index };
          return;
        case 6: // i64
          if (bytes[at]! < 0x80) at++;
          else if (bytes[at + 1]! < 0x80) at += 2;
          else at = skipSigned(bytes, at, end, 64);
          break;
        case 7:
          at += 4;
          break;
        case 8:
          at += 8;
          break;
        case 9: // indexes
          at = skipUnsigned(bytes, at, end, 32);
          at = skipUnsigned(bytes, at, end, 32);
          break;
        case 11: // lane
          at++;
          break;
        case 12:
          at += 16;
          break;
        case 15: // delegate
          at = skipUnsigned(bytes, at, end, 32);
          if (--depth < 0) body.fail(`delegate outside of a block of function ${index}`, from);
          break;
        default:
          at = this.#seldom(kind, body, at, from, index);
          // try_table is a block, too.
          if (kind === 18 && ++depth > deepest) {
            deepest = depth;
            deepestAt = from;
          }
      }
    }
  }

  /** Core specification 5.4.7 (memory instructions). */
  #memory(body: Reader, at: number, index: number): number {
    body.at = at;
    const flags = body.u32();
    let memory = 0;
    if ((flags & 0x40) !== 0) {
      this.#features.note('multi-memory', at, index);
      memory = body.u32();
    }
    if (this.#memories[memory]?.wide === true) body.u64();
    else body.u32();
    return body.at;
  }

  #block(body: Reader, at: number): number {
    body.at = at;
    this.#types.block(body);
    return body.at;
  }

  #seldom(kind: number, body: Reader, at: number, from: number, index: number): number {
    body.at = at;
    switch (kind) {
      case 10: // labels
        for (let left = body.length('labels') + 1; left > 0; left--) body.u32();
        break;
      case 13: // memory and lane
        body.at = this.#memory(body, at, index);
        body.skip(1);
        break;
      case 16: // heap type
        this.#types.heap(body);
        break;
      case 17: // types
        for (let left = body.count(LIMITS.values, 'types'); left > 0; left--) this.#types.value(body);
        break;
      case 18: // catches
        this.#types.block(body);
        for (let left = body.length('catch clauses'); left > 0; left--) this.#catch(body);
        break;
      case 19: {
        // cast branch
        const flags = body.byte();
        if (flags > CAST_BOTH) body.fail(`unknown flags of a cast (0x${flags.toString(16)})`, at);
        body.u32();
        this.#types.heap(body);
        this.#types.heap(body);
        break;
      }
      case 20: // zero
        if (body.byte() !== 0) body.fail('a byte that has to be zero', at);
        break;
      default:
        unknown(body, from);
    }
    return body.at;
  }

  /** Core specification 5.4.2: with or without a tag, with or without the reference, to a label. */
  #catch(body: Reader): void {
    const { at } = body;
    const kind = body.byte();
    if (kind > 3) body.fail(`an unknown catch clause (${kind})`, at);
    if (kind < 2) body.u32();
    body.u32();
  }
}

function unknown(body: Reader, from: number): never {
  const byte = body.bytes[from]!;
  body.at = from + 1;
  const code = PREFIX_SIZE[byte] === 0 ? '' : ` ${body.u32()}`;
  return body.fail(
    `0x${byte.toString(16)}${code} is no instruction that is known here: the file is damaged, or newer than this gateway`,
    from,
  );
}
