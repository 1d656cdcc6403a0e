import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs test files in the process of the caller. To start a process and to load the code into it takes longer than
 * most files of tests, so those that start no threads, processes or gateways share one. Each still runs alone.
 * @param patterns globs, relative to dist/test
 */
export async function runTogether(...patterns: readonly string[]): Promise<void> {
  const files = patterns.flatMap(pattern => globSync(pattern, { cwd: TESTS })).sort();
  if (files.length === 0) throw new Error(`no test file fits ${patterns.join(', ')}`);
  for (const file of files) await import(pathToFileURL(`${TESTS}/${file}`).href);
}
