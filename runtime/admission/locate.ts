import type { Sighting } from './scan/facts.js';
import { functionNames } from './scan/function-names.js';
import { INSTRUCTIONS, numbersOf } from './scan/instructions.js';
import { ModuleReader } from './scan/module-reader.js';
import { Tally } from './scan/tally.js';

/**
 * Where instructions are: a second pass over a module that `scan` has read, for those that the policy refuses.
 * @param wanted names of instructions
 * @param most how many places are listed, in the order of the file; all are counted
 * @throws SluiceError as `scan`
 */
export function locate(
  bytes: Uint8Array,
  wanted: ReadonlySet<string>,
  most: number,
): { readonly total: number; readonly places: readonly Sighting[] } {
  const tally = Tally.every([...wanted].flatMap(numbersOf), most);
  const { sections } = new ModuleReader(bytes, tally);
  const indexes = new Set(tally.seen.flatMap(({ function: index }) => index ?? []));
  const names = functionNames(bytes, sections, indexes);
  const places = tally.seen.map(({ number, offset, function: index }): Sighting => {
    const opcode = INSTRUCTIONS[number]!.name;
    if (index === undefined) return { opcode, offset };
    const name = names.get(index);
    return name === undefined
      ? { opcode, offset, function: index }
      : { opcode, offset, function: index, name };
  });
  return { total: tally.total, places };
}
