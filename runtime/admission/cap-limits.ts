import { writeU32 } from '../wasm-sections.js';
import type { Limits, ModuleFacts } from './scan/facts.js';

/**
 * The module with a maximum written into each memory and table, so that the engine itself holds the cap
 * (a guest's growth beyond it fails inside the guest). All other bytes stay as they are.
 * @param pages most pages of a memory
 * @param entries most entries of a table
 */
export function capLimits(
  bytes: Uint8Array,
  facts: Pick<ModuleFacts, 'sections' | 'memories' | 'tables'>,
  pages: number,
  entries: number,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let copied = 0;
  for (const section of facts.sections) {
    if (section.id !== 4 && section.id !== 5) continue;
    const limits = section.id === 4 ? facts.tables : facts.memories;
    const cap = section.id === 4 ? entries : pages;
    const body: Uint8Array[] = [];
    let at = section.start;
    for (const item of limits) {
      body.push(bytes.subarray(at, item.start), Uint8Array.from(encode(item, cap)));
      at = item.end;
    }
    body.push(bytes.subarray(at, section.end));
    const size = body.reduce((sum, part) => sum + part.length, 0);
    parts.push(bytes.subarray(copied, section.offset), Uint8Array.of(section.id, ...writeU32(size)), ...body);
    copied = section.end;
  }
  parts.push(bytes.subarray(copied));
  return new Uint8Array(Buffer.concat(parts));
}

function encode(limits: Limits, cap: number): number[] {
  const max = limits.max === undefined ? cap : Math.min(limits.max, cap);
  return [1, ...writeU32(limits.min), ...writeU32(max)];
}
