import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFloors } from '../../scripts/check/floors.js';
import { parseSource, readSources, type SourceFile } from '../../scripts/check/sources.js';

const INDEXES = {
  'runtime/index.ts': '',
  'sandbox/index.ts': '',
  'host/x.ts': '',
  'test/x.ts': '',
  'sandbox/v8-flags.ts': '',
};

function check(files: Record<string, string>): string[] {
  const parsed = Object.entries({ ...INDEXES, ...files }).map(([path, text]): [string, SourceFile] => [
    path,
    parseSource(path, text),
  ]);
  return checkFloors(new Map(parsed));
}

test('imports in this tree go downward only, through index.ts, and never in a circle', () => {
  assert.deepEqual(checkFloors(readSources()), []);
});

test('what is allowed passes', () => {
  const problems = check({
    'host/a.ts':
      "import { x } from '../runtime/index.js';\nimport type { y } from '../sandbox/index.js';\nimport './b.js';\nimport fs from 'node:fs';",
    'host/b.ts': "export type { A } from './a.js';\nimport { pino } from 'pino';",
    'host/cli/sluice.ts': "await import('../../sandbox/v8-flags.js');",
    'sandbox/a.ts': "import { x } from '../runtime/index.js';\nimport { Worker } from 'node:worker_threads';",
    'test/a.test.ts': "import { x } from '../host/a.js';",
    'host/protocols/p.ts': "import { Buffer } from 'node:buffer';",
  });
  assert.deepEqual(problems, ['import circle: host/a.ts -> host/b.ts -> host/a.ts']);
});

const BROKEN: readonly (readonly [why: string, path: string, text: string, expected: RegExp])[] = [
  [
    'upward',
    'runtime/a.ts',
    "import { x } from '../sandbox/index.js';",
    /^runtime\/a\.ts:1: runtime\/ may not import sandbox\//,
  ],
  [
    'upward by type',
    'sandbox/a.ts',
    "import type { x } from '../host/x.js';",
    /sandbox\/ may not import host\//,
  ],
  ['upward by need', 'sandbox/a.ts', "await import('../host/x.js');", /sandbox\/ may not import host\//],
  [
    'upward in a type',
    'sandbox/a.ts',
    "type T = import('../host/x.js').T;",
    /sandbox\/ may not import host\//,
  ],
  [
    'past the index',
    'host/a.ts',
    "import { x } from '../sandbox/v8-flags.js';",
    /through sandbox\/index\.ts only/,
  ],
  ['test code', 'host/a.ts', "import { x } from '../test/x.js';", /host\/ may not import test\//],
  ['a built-in in runtime', 'runtime/a.ts', "import 'node:buffer';", /runtime\/ imports nothing but itself/],
  ['a package in runtime', 'runtime/a.ts', "export * from 'yaml';", /runtime\/ imports nothing but itself/],
  ['a socket in a protocol', 'host/protocols/a.ts', "import net from 'node:net';", /does no input or output/],
  ['an unprefixed socket', 'host/protocols/a.ts', "import net from 'net';", /does no input or output/],
  [
    'a file in the sandbox',
    'sandbox/a.ts',
    "import fs from 'node:fs/promises';",
    /no files, sockets or HTTP/,
  ],
  ['HTTP in the sandbox', 'sandbox/a.ts', "import 'fastify';", /no files, sockets or HTTP/],
  ['a file that is not there', 'host/a.ts', "import './nowhere.js';", /no source file/],
];

for (const [why, path, text, expected] of BROKEN) {
  test(`an import that goes ${why} is found`, () => {
    const problems = check({ [path]: text });
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, expected);
  });
}
