import type { ModuleFacts } from './facts.js';
import { INSTRUCTIONS } from './instructions.js';
import { ModuleReader } from './module-reader.js';
import { Tally } from './tally.js';

/**
 * The facts of a core module, from one pass over its bytes. Nothing is compiled, types of operands are not judged.
 * Needs less memory than the file has bytes, and a few MB.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MODULE_MALFORMED (breaks the structure of a module),
 * SLUICE_MODULE_FEATURE (a type that is not known here), SLUICE_MODULE_CEILING (more than the reader takes); all but
 * the first name the byte
 */
export function scan(bytes: Uint8Array): ModuleFacts {
  const tally = Tally.firsts();
  const module = new ModuleReader(bytes, tally);
  const { sections, types, imports, exports, memories, tables, globals, tags, start } = module;
  const { elements, data, custom, body, nesting, locals, features } = module;
  for (const { number, offset, function: index } of tally.seen) {
    features.note(INSTRUCTIONS[number]!.feature, offset, index);
  }
  return {
    bytes: bytes.length,
    sections,
    types,
    imports,
    exports,
    memories,
    tables,
    globals,
    tags,
    functions: module.functionTypes.length,
    start,
    elements,
    data,
    custom,
    body,
    nesting,
    locals,
    opcodes: opcodesOf(tally),
    features: features.found,
  };
}

function opcodesOf({ seen, counts }: Tally): Map<string, number> {
  const opcodes = new Map<string, number>();
  for (const { number } of seen) {
    const { name } = INSTRUCTIONS[number]!;
    opcodes.set(name, (opcodes.get(name) ?? 0) + counts[number]!);
  }
  return opcodes;
}
