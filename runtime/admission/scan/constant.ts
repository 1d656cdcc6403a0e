import { INSTRUCTIONS, numbersOf, PREFIX_BASE, PREFIX_SIZE } from './instructions.js';
import type { Reader } from './reader.js';
import type { Features, Tally } from './tally.js';
import type { TypeReader } from './value-types.js';

const END = 0x0b;
const I32_CONST = 0x41;

/** What may stand in a constant expression (core specification 3.4.10), with what follows it. */
type Operand = (reader: Reader, types: TypeReader) => void;
const nothing: Operand = () => {};
const index: Operand = reader => void reader.u32();
const OPERANDS = new Map<number, Operand>();
function allow(names: string, operand: Operand): void {
  for (const name of names.split(' ')) for (const number of numbersOf(name)) OPERANDS.set(number, operand);
}
allow('i32.const', reader => void reader.s32());
allow('i64.const', reader => void reader.s64());
allow('f32.const', reader => reader.skip(4));
allow('f64.const', reader => reader.skip(8));
allow('v128.const', reader => reader.skip(16));
allow('ref.null', (reader, types) => void types.heap(reader));
allow('global.get ref.func struct.new struct.new_default array.new array.new_default', index);
allow('array.new_fixed', reader => {
  reader.u32();
  reader.u32();
});
allow('ref.i31 any.convert_extern extern.convert_any', nothing);
const EXTENDED = 'i32.add i32.sub i32.mul i64.add i64.sub i64.mul';
allow(EXTENDED, nothing);
const EXTENDED_NUMBERS = new Set(EXTENDED.split(' ').flatMap(numbersOf));

/** Constant expressions: initial values and offsets. */
export class ConstantReader {
  readonly #types: TypeReader;
  readonly #tally: Tally;
  readonly #features: Features;

  constructor(types: TypeReader, tally: Tally, features: Features) {
    this.#types = types;
    this.#tally = tally;
    this.#features = features;
  }

  /** @returns the value, unsigned, of an expression that is one `i32.const`; else undefined */
  read(reader: Reader): number | undefined {
    let value: number | undefined;
    for (let count = 0; ; count++) {
      const { at } = reader;
      const number = this.#number(reader);
      this.#tally.count(number, at);
      if (number === END) return count === 1 ? value : undefined;
      if (number === I32_CONST) {
        value = reader.s32() >>> 0;
        continue;
      }
      value = undefined;
      const operand = OPERANDS.get(number);
      if (operand === undefined) {
        const name = INSTRUCTIONS[number]?.name ?? `instruction 0x${reader.bytes[at]!.toString(16)}`;
        reader.fail(`${name} in a constant expression`, at);
      }
      if (EXTENDED_NUMBERS.has(number)) this.#features.note('extended-const', at);
      operand(reader, this.#types);
    }
  }

  #number(reader: Reader): number {
    const { at } = reader;
    const byte = reader.byte();
    const base = PREFIX_BASE[byte]!;
    if (base === 0) return byte;
    const code = reader.u32();
    if (code >= PREFIX_SIZE[byte]!) {
      reader.fail(`0x${byte.toString(16)} ${code} is no instruction that is known here`, at);
    }
    return base + code;
  }
}
