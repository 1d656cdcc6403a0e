import { readSections, SluiceError } from '../../runtime/index.js';

const EXPORTS = 7;
const IMPORTS = 2;
const CODE = 10;
const FUNCTION = 0;
const decoder = new TextDecoder();

/**
 * The core module with another body in one of its exported functions: how a mistake of a programmer gets
 * into a plugin that is right otherwise.
 * @param bytes without a manifest
 * @param body locals and instructions, with the `end`
 * @throws SluiceError SLUICE_MODULE_MALFORMED
 * Source: WebAssembly core specification, 5.5.10 (exports), 5.5.13 (code).
 */
export function withBody(bytes: Uint8Array, name: string, body: Uint8Array): Uint8Array {
  const sections = readSections(bytes);
  const code = sections.find(({ id }) => id === CODE);
  const exported = sections.find(({ id }) => id === EXPORTS);
  const imported = sections.find(({ id }) => id === IMPORTS);
  if (code === undefined || exported === undefined) throw malformed('it has no code or exports nothing');
  const wanted = indexOf(bytes, exported.start, name) - importedFunctions(bytes, imported?.start);
  let at = u32(bytes, code.start);
  if (wanted < 0 || wanted >= at.value) throw malformed(`${name} is none of its own functions`);
  for (let index = 0; ; index++) {
    const size = u32(bytes, at.next);
    if (index < wanted) {
      at = { value: 0, next: size.next + size.value };
      continue;
    }
    const content = Buffer.concat([
      bytes.subarray(code.start, at.next),
      leb(body.length),
      body,
      bytes.subarray(size.next + size.value, code.end),
    ]);
    return Buffer.concat([
      bytes.subarray(0, code.offset),
      Uint8Array.of(CODE),
      leb(content.length),
      content,
      bytes.subarray(code.end),
    ]);
  }
}

/** Index of an exported function among all, imported ones first. */
function indexOf(bytes: Uint8Array, start: number, name: string): number {
  const count = u32(bytes, start);
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    const size = u32(bytes, at);
    const end = size.next + size.value;
    const index = u32(bytes, end + 1);
    if (bytes[end] === FUNCTION && decoder.decode(bytes.slice(size.next, end)) === name) return index.value;
    at = index.next;
  }
  throw malformed(`it exports no function ${name}`);
}

/** The contract imports functions only, so the count of the section is theirs. */
function importedFunctions(bytes: Uint8Array, start: number | undefined): number {
  return start === undefined ? 0 : u32(bytes, start).value;
}

function u32(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, next = at; shift < 35; shift += 7) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next };
  }
  throw malformed('an integer does not fit 32 bits');
}

function leb(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...out, rest]);
}

function malformed(why: string): SluiceError {
  return new SluiceError('SLUICE_MODULE_MALFORMED', `the demo cannot change the plugin: ${why}`);
}
