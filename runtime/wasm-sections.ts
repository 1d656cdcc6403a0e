/**
 * Walks the top-level sections of a WebAssembly file without compiling it. Used for the manifest and for
 * admission. Every read is bounds-checked; nothing but SluiceError is thrown, on any bytes.
 *
 * Source: WebAssembly core specification, 5.2.2 (integers), 5.5.2 (sections), 5.5.16 (modules);
 * component-model, Binary.md, "Component Definitions" (preamble of a component).
 */
import { SluiceError } from './errors.js';
import { LIMITS } from './limits.js';

/** What the preamble says the file is. */
export type ModuleKind = 'core' | 'component';

/** One top-level section. All positions are bytes from the start of the file. */
export interface Section {
  /** Section id: 0 is custom; the others differ between a core module and a component. */
  readonly id: number;
  /** Name of a custom section. */
  readonly name?: string;
  /** Where the section begins: its id byte. */
  readonly offset: number;
  /** First byte of the content; in a custom section the first behind its name. */
  readonly start: number;
  /** One behind the last byte of the content. */
  readonly end: number;
}

const PREAMBLE = 8;
const CUSTOM = 0;
/** Order in which the sections of a core module come (5.5.16); index is the id, 0 for custom. */
const CORE_ORDER = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6];
const LAST_COMPONENT_SECTION = 12;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws SluiceError SLUICE_MODULE_NOT_WASM */
export function moduleKind(bytes: Uint8Array): ModuleKind {
  const magic = bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (magic && bytes.length >= PREAMBLE && bytes[5] === 0 && bytes[7] === 0) {
    if (bytes[4] === 1 && bytes[6] === 0) return 'core';
    if (bytes[4] === 0x0d && bytes[6] === 1) return 'component';
  }
  const head = Array.from(bytes.subarray(0, PREAMBLE), byte => byte.toString(16).padStart(2, '0')).join(' ');
  throw new SluiceError(
    'SLUICE_MODULE_NOT_WASM',
    head === ''
      ? 'the file is empty'
      : `the file begins with ${head}; a module begins with 00 61 73 6d 01 00 00 00, a component with 00 61 73 6d 0d 00 01 00`,
  );
}

/**
 * The sections one after the other, so that a caller may stop early.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MODULE_MALFORMED, SLUICE_MODULE_CEILING (name the offset)
 */
export function* iterateSections(bytes: Uint8Array): Generator<Section, void, undefined> {
  const kind = moduleKind(bytes);
  let at = PREAMBLE;
  let order = 0;
  for (let count = 0; at < bytes.length; count++) {
    const offset = at;
    if (count === LIMITS.sections)
      ceiling(offset, `more than ${LIMITS.sections} sections, which no policy allows`);
    const id = bytes[at]!;
    const size = readU32(bytes, at + 1, bytes.length);
    const start = size.next;
    if (size.value > bytes.length - start) {
      malformed(offset, `section ${id} says ${size.value} bytes, ${bytes.length - start} are left`);
    }
    const end = start + size.value;
    if (id === CUSTOM) {
      yield customSection(bytes, offset, start, end);
    } else {
      order = checkOrder(kind, id, order, offset);
      yield { id, offset, start, end };
    }
    at = end;
  }
}

/** All sections. Errors as `iterateSections`. */
export function readSections(bytes: Uint8Array): Section[] {
  return [...iterateSections(bytes)];
}

/**
 * An unsigned LEB128 of 32 bits: at most 5 bytes, unused bits zero (5.2.2).
 * @throws SluiceError SLUICE_MODULE_MALFORMED
 */
export function readU32(bytes: Uint8Array, at: number, end: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    if (at + i >= end) malformed(at, 'an integer is cut off');
    const byte = bytes[at + i]!;
    if (i === 4 && byte > 0x0f) malformed(at, 'an integer does not fit 32 bits');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return malformed(at, 'an integer does not fit 32 bits');
}

/** The unsigned LEB128 of a value below 2^32, in its shortest form. */
export function writeU32(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.push(rest);
  return out;
}

function customSection(bytes: Uint8Array, offset: number, start: number, end: number): Section {
  const length = readU32(bytes, start, end);
  if (length.value > end - length.next) malformed(offset, 'the name of a custom section is cut off');
  if (length.value > LIMITS.name) {
    ceiling(offset, `${length.value} bytes of a name, the ceiling is ${LIMITS.name}, which no policy raises`);
  }
  const nameEnd = length.next + length.value;
  let name: string;
  try {
    // A copy: TextDecoder refuses shared memory.
    name = decoder.decode(bytes.slice(length.next, nameEnd));
  } catch {
    malformed(offset, 'the name of a custom section is not UTF-8');
  }
  return { id: CUSTOM, name, offset, start: nameEnd, end };
}

/** In a core module each section comes at most once and in order; in a component they may repeat. */
function checkOrder(kind: ModuleKind, id: number, order: number, offset: number): number {
  if (kind === 'component') {
    if (id > LAST_COMPONENT_SECTION) malformed(offset, `section ${id} is not known in a component`);
    return order;
  }
  const place = CORE_ORDER[id];
  if (place === undefined) malformed(offset, `section ${id} is not known in a module`);
  if (place <= order) malformed(offset, `section ${id} is out of order or comes twice`);
  return place;
}

function malformed(offset: number, why: string): never {
  throw new SluiceError('SLUICE_MODULE_MALFORMED', `at byte ${offset}: ${why}`);
}

function ceiling(offset: number, why: string): never {
  throw new SluiceError('SLUICE_MODULE_CEILING', `at byte ${offset}: ${why}`);
}
