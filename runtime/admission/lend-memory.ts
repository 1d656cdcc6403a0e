import { readSections, readU32, writeU32 } from '../wasm-sections.js';

/** Sections of a core module (5.5.2). */
const TYPE = 1;
const IMPORT = 2;
const MEMORY = 5;
/** Kind of an import (5.5.5). */
const IS_MEMORY = 2;
/** Limits with a maximum (5.3.5); others are of shared memories, or of 64 bits. */
const HAS_MAXIMUM = 1;

/** What the memory of such a module is to be called in its imports; no plugin may import it by itself. */
export const LENT_MEMORY = { module: 'sluice:host', name: 'memory' } as const;

/** A module that is given its memory, and what that has to be. */
export interface Borrower {
  readonly bytes: Uint8Array;
  /** Pages. */
  readonly initial: number;
  readonly maximum: number;
}

/**
 * The same module with its one memory as an import, so that the memory of an instance that has failed can be emptied and
 * given to the next. Data are written into it when an instance is made, as into its own (4.5.4).
 * @param bytes a module with a maximum written into its memory
 * @returns undefined if it has not exactly one memory of its own
 */
export function lendMemory(bytes: Uint8Array): Borrower | undefined {
  const sections = readSections(bytes);
  const memory = sections.find(({ id }) => id === MEMORY);
  if (memory === undefined) return undefined;
  const count = readU32(bytes, memory.start, memory.end);
  if (count.value !== 1 || bytes[count.next] !== HAS_MAXIMUM) return undefined;
  const initial = readU32(bytes, count.next + 1, memory.end);
  const maximum = readU32(bytes, initial.next, memory.end);
  const entry = [
    ...text(LENT_MEMORY.module),
    ...text(LENT_MEMORY.name),
    IS_MEMORY,
    ...bytes.subarray(count.next, memory.end),
  ];
  const imports = sections.find(({ id }) => id === IMPORT);
  // Imports stand behind types.
  const type = sections.find(({ id }) => id === TYPE);
  const at = imports?.offset ?? type?.end ?? sections[0]?.offset ?? bytes.length;
  const before = imports === undefined ? { value: 0, next: 0 } : readU32(bytes, imports.start, imports.end);
  const known = imports === undefined ? new Uint8Array(0) : bytes.subarray(before.next, imports.end);
  const head = writeU32(before.value + 1);
  const size = head.length + known.length + entry.length;
  const parts = [
    bytes.subarray(0, at),
    Uint8Array.of(IMPORT, ...writeU32(size), ...head),
    known,
    Uint8Array.from(entry),
    bytes.subarray(imports?.end ?? at, memory.offset),
    bytes.subarray(memory.end),
  ];
  return { bytes: new Uint8Array(Buffer.concat(parts)), initial: initial.value, maximum: maximum.value };
}

function text(value: string): number[] {
  const bytes = Buffer.from(value, 'utf8');
  return [...writeU32(bytes.length), ...bytes];
}
