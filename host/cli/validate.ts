import { SluiceError } from '../../runtime/index.js';
import { loadConfig } from '../config/load.js';
import { ConfigError, formatProblem, type Problem } from '../config/problem.js';
import { EXIT } from './exit.js';
import { pluginNames } from './plugin-names.js';

/** Checks a file and prints what is wrong with it. Gives the exit code: 0, or 78. */
export async function validateFile(file: string, options: { json?: boolean }): Promise<number> {
  const { problems, failed } = await check(file);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file, valid: !failed, problems })}\n`);
    return failed ? EXIT.config : EXIT.ok;
  }
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (!failed) process.stdout.write(`${file}: valid\n`);
  return failed ? EXIT.config : EXIT.ok;
}

async function check(file: string): Promise<{ problems: readonly Problem[]; failed: boolean }> {
  try {
    const { warnings } = await loadConfig(file, { pluginNames });
    return { problems: warnings, failed: false };
  } catch (thrown) {
    if (thrown instanceof ConfigError) return { problems: thrown.problems, failed: true };
    if (!(thrown instanceof SluiceError) || thrown.code === 'SLUICE_INTERNAL') throw thrown;
    // The file as a whole: it cannot be read, or is no text.
    const text = thrown.message.startsWith(`${file}: `)
      ? thrown.message.slice(file.length + 2)
      : thrown.message;
    return { problems: [{ code: thrown.code, severity: 'error', file, path: '', text }], failed: true };
  }
}
