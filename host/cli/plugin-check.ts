import { once } from 'node:events';
import { SIMD_OPCODES, SIMD_WORDS, type SimdRule } from '../../runtime/index.js';
import { suggest } from '../config/check/suggest.js';
import { parseSize } from '../config/units.js';
import { checkFile } from '../plugin-check/check-file.js';
import { type CheckRules, checkRules } from '../plugin-check/check-rules.js';
import { showReport } from '../plugin-check/check-text.js';
import { EXIT } from './exit.js';

export interface CheckOptions {
  readonly memory?: string;
  readonly simd?: string;
  readonly config?: string;
  readonly keys?: string;
  readonly json?: boolean;
}

/**
 * Prints what a gateway would find in each file and whether it would take it. Gives the exit code: 0, or 1 if any is
 * refused. One file is in memory at a time, and nothing of it is kept.
 * @throws SluiceError of the configuration, SLUICE_KEY_FOLDER
 */
export async function checkPlugins(files: readonly string[], options: CheckOptions): Promise<number> {
  const { memory, simd, json = false } = options;
  const bytes = memory === undefined ? undefined : parseSize(memory);
  if (memory !== undefined && bytes === undefined)
    return usage(`--memory ${memory} is no size such as 16MiB`);
  const rule = simd === undefined ? undefined : parseSimd(simd);
  if (typeof rule === 'object' && 'problem' in rule) return usage(`--simd ${rule.problem}`);
  const rules = await checkRules({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.keys === undefined ? {} : { keys: options.keys }),
    ...(bytes === undefined ? {} : { memory: bytes }),
    ...(rule === undefined ? {} : { simd: rule }),
  });
  sayKeys(rules);
  let refused = 0;
  for (const file of files) {
    const report = await checkFile(file, rules);
    if (!report.ok) refused++;
    await print(json ? `${JSON.stringify(report)}\n` : showReport(report));
  }
  if (!json && files.length > 1) await print(`${files.length} files, ${refused} refused\n`);
  return refused === 0 ? EXIT.ok : EXIT.failure;
}

/** Waits while who reads is slower: a thousand reports are not held in memory. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

function usage(problem: string): number {
  process.stderr.write(`sluice: ${problem}\n`);
  return EXIT.usage;
}

/** A word, or names with commas between them. */
function parseSimd(text: string): SimdRule | { readonly problem: string } {
  const word = SIMD_WORDS.find(each => each === text);
  if (word !== undefined) return word;
  const names = text.split(',').map(name => name.trim());
  const unknown = names.find(name => !SIMD_OPCODES.includes(name));
  if (unknown === undefined) return names;
  const guess = suggest(unknown, [...SIMD_WORDS, ...SIMD_OPCODES]);
  const hint = guess === undefined ? `it is ${SIMD_WORDS.join(', ')}, or names` : `did you mean "${guess}"?`;
  return { problem: `${unknown} is no fixed-width vector instruction; ${hint}` };
}

function sayKeys({ ring, signed }: CheckRules): void {
  for (const { error } of ring?.problems ?? []) process.stderr.write(`sluice: ${error.message}\n`);
  if (signed !== undefined && ring?.trusted.size === 0)
    process.stderr.write('sluice: there is no trusted key\n');
}
