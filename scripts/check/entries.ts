import { readFileSync } from 'node:fs';
import { ROOT } from './root.js';
import type { SourceFile } from './sources.js';

/** Files that are run and not imported: what package.json names, tests, benchmarks, and their set-up. */
export function entryFiles(files: ReadonlyMap<string, SourceFile>, root: string = ROOT): string[] {
  const manifest = readFileSync(`${root}/package.json`, 'utf8');
  const named = [...manifest.matchAll(/dist\/([\w/-]+)\.js/g)].map(([, emitted]) => `${emitted}.ts`);
  const run = [...files.keys()].filter(
    path => path.endsWith('.test.ts') || /^test\/(bench|guests)\//.test(path),
  );
  return [...named, ...run];
}
