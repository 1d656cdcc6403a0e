import { SluiceError } from '../../errors.js';
import type { FeatureClass } from './facts.js';
import type { Reader } from './reader.js';
import type { Features } from './tally.js';

type Named = readonly [name: string, feature: FeatureClass];

/** Core specification 5.3.1 to 5.3.6: each type that one byte says. */
const NUMBERS: Readonly<Record<number, Named>> = {
  127: ['i32', 'mvp'],
  126: ['i64', 'mvp'],
  125: ['f32', 'mvp'],
  124: ['f64', 'mvp'],
  123: ['v128', 'simd'],
};
const HEAP: Readonly<Record<number, readonly [heap: string, short: string, feature: FeatureClass]>> = {
  116: ['noexn', 'nullexnref', 'exceptions'],
  115: ['nofunc', 'nullfuncref', 'gc'],
  114: ['noextern', 'nullexternref', 'gc'],
  113: ['none', 'nullref', 'gc'],
  112: ['func', 'funcref', 'reference-types'],
  111: ['extern', 'externref', 'reference-types'],
  110: ['any', 'anyref', 'gc'],
  109: ['eq', 'eqref', 'gc'],
  108: ['i31', 'i31ref', 'gc'],
  107: ['struct', 'structref', 'gc'],
  106: ['array', 'arrayref', 'gc'],
  105: ['exn', 'exnref', 'exceptions'],
};
const PACKED: Readonly<Record<number, string>> = { 120: 'i8', 119: 'i16' };
const REF_NULL = 0x63;
const REF = 0x64;
const EMPTY_BLOCK = 0x40;

/** Reads types, and notes the feature classes that brought them. */
export class TypeReader {
  readonly #features: Features;

  constructor(features: Features) {
    this.#features = features;
  }

  /** @returns as in the text format, for example `i32` or `(ref null 3)` */
  value(reader: Reader): string {
    const { at } = reader;
    const number = NUMBERS[reader.peek()];
    if (number === undefined) return this.reference(reader);
    reader.at++;
    if (number[1] !== 'mvp') this.#features.note(number[1], at);
    return number[0];
  }

  reference(reader: Reader): string {
    const { at } = reader;
    const byte = reader.byte();
    if (byte === REF_NULL || byte === REF) {
      this.#features.note('function-references', at);
      return `(ref ${byte === REF_NULL ? 'null ' : ''}${this.heap(reader)})`;
    }
    const heap = HEAP[byte];
    if (heap === undefined) return unknown(at, `the value type 0x${byte.toString(16)}`);
    this.#features.note(heap[2], at);
    return heap[1];
  }

  /** @returns name of the type, or its index in digits */
  heap(reader: Reader): string {
    const { at } = reader;
    const number = reader.s33();
    if (number >= 0) {
      this.#features.note('function-references', at);
      return String(number);
    }
    // One byte of a negative number: its low seven bits.
    const heap = HEAP[number + 128];
    if (heap === undefined) return unknown(at, `the heap type ${number}`);
    this.#features.note(heap[2], at);
    return heap[0];
  }

  /** Of a field of a structure or array. */
  storage(reader: Reader): void {
    if (PACKED[reader.peek()] === undefined) this.value(reader);
    else reader.at++;
    this.mutability(reader);
  }

  /** @returns true: it can be set */
  mutability(reader: Reader): boolean {
    const byte = reader.byte();
    if (byte > 1)
      reader.fail(`0x${byte.toString(16)} is neither constant (0) nor variable (1)`, reader.at - 1);
    return byte === 1;
  }

  block(reader: Reader): void {
    const { at } = reader;
    const byte = reader.peek();
    if (byte === EMPTY_BLOCK) reader.at++;
    // A negative number is a value type: bit 6 of a byte without bit 7.
    else if (byte >= EMPTY_BLOCK && byte < 0x80) this.value(reader);
    else {
      if (reader.s33() < 0) reader.fail('a block has no such type', at);
      this.#features.note('multi-value', at);
    }
  }
}

function unknown(at: number, what: string): never {
  throw new SluiceError('SLUICE_MODULE_FEATURE', `at byte ${at}: ${what}, which plugins may not use`);
}
