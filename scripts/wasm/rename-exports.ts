/** Exports of a linked module under other names. */
import { readSections, readU32 } from '../../runtime/index.js';

const EXPORTS = 7;

/** Source: WebAssembly core specification, 5.5.10 (export section). */
export function renameExports(bytes: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  const section = readSections(bytes).find(({ id }) => id === EXPORTS);
  if (section === undefined || names.size === 0) return bytes;
  const content: number[] = [];
  let { value: count, next: at } = readU32(bytes, section.start, section.end);
  content.push(...leb(count));
  for (; count > 0; count--) {
    const length = readU32(bytes, at, section.end);
    const nameEnd = length.next + length.value;
    const name = Buffer.from(bytes.subarray(length.next, nameEnd)).toString();
    const renamed = Buffer.from(names.get(name) ?? name);
    const end = readU32(bytes, nameEnd + 1, section.end).next;
    content.push(...leb(renamed.length), ...renamed, ...bytes.subarray(nameEnd, end));
    at = end;
  }
  return Buffer.concat([
    bytes.subarray(0, section.offset),
    Uint8Array.of(EXPORTS, ...leb(content.length), ...content),
    bytes.subarray(section.end),
  ]);
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
