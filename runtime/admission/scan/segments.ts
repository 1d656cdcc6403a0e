import { LIMITS } from '../../limits.js';
import type { ConstantReader } from './constant.js';
import type { Limits } from './facts.js';
import type { Reader } from './reader.js';
import type { Features } from './tally.js';
import type { TypeReader } from './value-types.js';

/** Flags of a segment (core specification 5.5.12, 5.5.14). */
const PASSIVE = 1;
const EXPLICIT = 2;
const EXPRESSIONS = 4;
const FUNCTIONS = 0;

/** Memory or table of an active segment; undefined where its size is not in the file, because it is imported. */
type Target = Limits | undefined;

/** @returns entries of all segments */
export function readElements(
  reader: Reader,
  tables: readonly Target[],
  constants: ConstantReader,
  types: TypeReader,
  features: Features,
): { segments: number; entries: number } {
  const segments = reader.length('element segments');
  let entries = 0;
  for (let left = segments; left > 0; left--) {
    const { at } = reader;
    const flags = reader.u32();
    if (flags > (PASSIVE | EXPLICIT | EXPRESSIONS)) reader.fail(`an unknown element segment (${flags})`, at);
    if (flags !== 0) features.note((flags & EXPRESSIONS) === 0 ? 'bulk-memory' : 'reference-types', at);
    const active = (flags & PASSIVE) === 0;
    const table = active && (flags & EXPLICIT) !== 0 ? reader.u32() : 0;
    const offset = active ? constants.read(reader) : undefined;
    if ((flags & (PASSIVE | EXPLICIT)) !== 0) {
      if ((flags & EXPRESSIONS) !== 0) types.reference(reader);
      else if (reader.byte() !== FUNCTIONS) reader.fail('an unknown kind of elements', reader.at - 1);
    }
    const count = reader.length('elements');
    if (active) checkInside(reader, at, 'an element segment', 'entries', offset, count, tables[table]?.min);
    for (let entry = count; entry > 0; entry--) {
      if ((flags & EXPRESSIONS) !== 0) constants.read(reader);
      else reader.u32();
    }
    entries += count;
  }
  return { segments, entries };
}

/** @returns bytes of all segments */
export function readData(
  reader: Reader,
  memories: readonly Target[],
  constants: ConstantReader,
  features: Features,
): { segments: number; bytes: number } {
  const segments = reader.length('data segments');
  let bytes = 0;
  for (let left = segments; left > 0; left--) {
    const { at } = reader;
    const flags = reader.u32();
    if (flags > EXPLICIT) reader.fail(`an unknown data segment (${flags})`, at);
    if (flags !== 0) features.note('bulk-memory', at);
    const memory = flags === EXPLICIT ? reader.u32() : 0;
    const offset = flags === PASSIVE ? undefined : constants.read(reader);
    const count = reader.length('bytes of a data segment');
    const pages = memories[memory]?.min;
    checkInside(reader, at, 'a data segment', 'bytes', offset, count, pages && pages * LIMITS.page);
    reader.skip(count);
    bytes += count;
  }
  return { segments, bytes };
}

/**
 * A segment that lies outside of what the module starts with can never be instantiated; said here, its author
 * reads where it is. Offsets that are computed are left to the engine.
 */
function checkInside(
  reader: Reader,
  at: number,
  what: string,
  unit: string,
  offset: number | undefined,
  count: number,
  size: number | undefined,
): void {
  if (offset === undefined || size === undefined || offset + count <= size) return;
  const target = unit === 'bytes' ? 'memory' : 'table';
  const fix =
    unit === 'bytes'
      ? 'let it start with more (clang: -Wl,--initial-memory=...)'
      : 'let it start with more entries';
  reader.fail(`${what} of ${count} ${unit} at ${offset}, its ${target} starts with ${size}: ${fix}`, at);
}
