import { SluiceError } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { Section } from '../../wasm-sections.js';
import { Reader } from './reader.js';

const EXPORT_SECTION = 7;
const FUNCTION_NAMES = 1;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Names of some functions: from the name section (core specification 7.4.1), of others that of an export. A name
 * section that is damaged says nothing, which is no reason to refuse a module.
 */
export function functionNames(
  bytes: Uint8Array,
  sections: readonly Section[],
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (wanted.size === 0) return names;
  for (const { id, name, start, end } of sections) {
    const reader = new Reader(bytes, start, end);
    try {
      if (id === EXPORT_SECTION) readExports(reader, wanted, names);
      if (id === 0 && name === 'name') readNames(reader, wanted, names);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
    }
  }
  return names;
}

function readExports(reader: Reader, wanted: ReadonlySet<number>, names: Map<number, string>): void {
  for (let left = reader.u32(); left > 0; left--) {
    const start = skipName(reader);
    const end = reader.at;
    const isFunction = reader.byte() === 0;
    const index = reader.u32();
    if (isFunction && wanted.has(index) && !names.has(index))
      names.set(index, shown(reader.bytes, start, end));
  }
}

function readNames(reader: Reader, wanted: ReadonlySet<number>, names: Map<number, string>): void {
  while (reader.at < reader.end) {
    const id = reader.byte();
    const size = reader.u32();
    const next = reader.at + size;
    if (id === FUNCTION_NAMES) {
      for (let left = reader.u32(); left > 0; left--) {
        const index = reader.u32();
        const start = skipName(reader);
        if (wanted.has(index)) names.set(index, shown(reader.bytes, start, reader.at));
      }
    }
    reader.at = next;
  }
}

/** @returns where its text begins; it ends where the reader is */
function skipName(reader: Reader): number {
  const length = reader.u32();
  reader.skip(length);
  return reader.at - length;
}

/** Names of templates run to kilobytes; a refusal has to stay readable. */
function shown(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= LIMITS.shownName) return decoder.decode(new Uint8Array(bytes.subarray(start, end)));
  return `${decoder.decode(new Uint8Array(bytes.subarray(start, start + LIMITS.shownName)), { stream: false })}...`;
}
