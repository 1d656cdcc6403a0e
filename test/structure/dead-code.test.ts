import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDeadCode } from '../../scripts/check/dead-code.js';
import { parseSource } from '../../scripts/check/sources.js';

function dead(files: Record<string, string>, ...entries: string[]): string[] {
  return findDeadCode(
    new Map(Object.entries(files).map(([path, text]) => [path, parseSource(path, text)])),
    entries,
  );
}

test('an export that nothing imports is found by name and line', () => {
  const problems = dead(
    {
      'a.ts': "import { used } from './b.js';",
      'b.ts': 'export const used = 1;\nexport function idle() {}\nexport class Idle {}',
    },
    'a.ts',
  );
  assert.deepEqual(problems, ['b.ts:2: nothing imports "idle"', 'b.ts:3: nothing imports "Idle"']);
});

test('a file that nothing reaches is found, also when it is imported from such a file only', () => {
  const problems = dead({ 'a.ts': '', 'b.ts': "import './c.js';", 'c.ts': '' }, 'a.ts');
  assert.deepEqual(problems, [
    'b.ts:1: nothing imports or runs this file',
    'c.ts:1: nothing imports or runs this file',
  ]);
});

test('a name that only an index passes on is not used', () => {
  const index = "export { one, two as zwei } from './b.js';\nexport * from './c.js';";
  const files = {
    'a.ts': "import { zwei, three } from './index.js';",
    'index.ts': index,
    'b.ts': 'export const one = 1, two = 2;',
    'c.ts': 'export const three = 3, four = 4;',
  };
  assert.deepEqual(dead(files, 'a.ts'), [
    'index.ts:1: nothing imports "one"',
    'b.ts:1: nothing imports "one"',
    'c.ts:1: nothing imports "four"',
  ]);
});

test('a worker file that is named by its address is reached', () => {
  const files = { 'a.ts': "new URL('./w.js', import.meta.url);", 'w.ts': '' };
  assert.deepEqual(dead(files, 'a.ts'), []);
});

test('a whole-module or dynamic import uses every name', () => {
  const files = {
    'a.ts': "import * as b from './b.js';\nawait import('./c.js');",
    'b.ts': 'export const x = 1;',
    'c.ts': 'export const y = 1;',
  };
  assert.deepEqual(dead(files, 'a.ts'), []);
});

test('a type that a signature of its own file needs is not dead, one that stands alone is', () => {
  const files = {
    'a.ts': "import { f } from './b.js';",
    'b.ts': 'export interface P {}\nexport function f(p: P) {}\nexport type Alone = 1;',
  };
  assert.deepEqual(dead(files, 'a.ts'), ['b.ts:3: nothing imports "Alone"']);
});
