import type { ExternKind, Limits } from './facts.js';
import type { Reader } from './reader.js';
import type { Features } from './tally.js';
import type { TypeReader } from './value-types.js';

const KINDS: readonly ExternKind[] = ['func', 'table', 'memory', 'global', 'tag'];
const FUNCREF = 0x70;
const HAS_MAX = 1;
const SHARED = 2;
const WIDE = 4;

export function readKind(reader: Reader): ExternKind {
  const byte = reader.byte();
  return KINDS[byte] ?? reader.fail(`an unknown kind of import or export (${byte})`, reader.at - 1);
}

/** Core specification 5.3.8. Sizes with 64 bits are exact up to 2^53. */
function readLimits(reader: Reader, features: Features): Limits {
  const start = reader.at;
  const flags = reader.byte();
  if (flags > (HAS_MAX | SHARED | WIDE)) reader.fail(`unknown limits (0x${flags.toString(16)})`, start);
  const shared = (flags & SHARED) !== 0;
  const wide = (flags & WIDE) !== 0;
  if (wide) features.note('memory64', start);
  if (shared) features.note('threads', start);
  const min = wide ? reader.u64() : reader.u32();
  const max = (flags & HAS_MAX) === 0 ? undefined : wide ? reader.u64() : reader.u32();
  return { min, max, shared, wide, start, end: reader.at };
}

export function readMemoryType(reader: Reader, features: Features): Limits {
  return readLimits(reader, features);
}

export function readTableType(reader: Reader, types: TypeReader, features: Features): Limits {
  // Tables of functions are older than references.
  if (reader.peek() === FUNCREF) reader.at++;
  else types.reference(reader);
  return readLimits(reader, features);
}

export function readGlobalType(reader: Reader, types: TypeReader): void {
  types.value(reader);
  types.mutability(reader);
}

/** @returns index of its function type */
export function readTagType(reader: Reader, features: Features): number {
  const { at } = reader;
  features.note('exceptions', at);
  const attribute = reader.byte();
  if (attribute !== 0) reader.fail(`an unknown kind of tag (${attribute})`, at);
  return reader.u32();
}
