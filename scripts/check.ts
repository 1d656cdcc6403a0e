/** `npm run check`: types, lint, floors, dead code; one line each, all of them even if one fails. */
import { findDeadCode } from './check/dead-code.js';
import { entryFiles } from './check/entries.js';
import { checkFloors } from './check/floors.js';
import { ROOT } from './check/root.js';
import { readSources } from './check/sources.js';
import { runTool } from './check/tool.js';

const checks: readonly (readonly [string, () => readonly string[]])[] = [
  ['types', () => runTool(ROOT, 'tsc', ['-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'])],
  ['lint', () => runTool(ROOT, 'biome', ['check', '--max-diagnostics=100', '--diagnostic-level=error'])],
  ['floors', () => checkFloors(readSources())],
  [
    'dead code',
    () => {
      const files = readSources();
      return findDeadCode(files, entryFiles(files));
    },
  ],
];

for (const [name, check] of checks) {
  const start = performance.now();
  const problems = check();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const result = problems.length === 0 ? 'ok' : 'FAILED';
  process.stdout.write(`${name.padEnd(10)} ${result.padEnd(7)} ${seconds} s\n`);
  for (const problem of problems) process.stdout.write(`  ${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}
