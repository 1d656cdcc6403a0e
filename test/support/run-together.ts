import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { GROUPS } from './groups.js';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/** Runs the test files of a group in the process of the caller; each can still be run alone. */
export async function runTogether(group: keyof typeof GROUPS): Promise<void> {
  const files = testFiles(GROUPS[group]);
  if (files.length === 0) throw new Error(`no test file is in the group ${group}`);
  for (const file of files) await import(pathToFileURL(`${TESTS}/${file}`).href);
}

/** @param patterns globs, relative to dist/test; so are the files */
export function testFiles(patterns: readonly string[]): string[] {
  return patterns.flatMap(pattern => globSync(pattern, { cwd: TESTS })).sort();
}
