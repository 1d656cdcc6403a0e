import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../host/config/load.js';
import { readPolicy } from '../../../host/config/load-policy.js';
import { ConfigError } from '../../../host/config/problem.js';
import { writtenPolicy } from '../../../host/config/written-policy.js';
import { DEFAULT_POLICY } from '../../../runtime/index.js';
import { problemsOf, read, SOURCES } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
after(() => rm(folder, { recursive: true }));

/** The policy in a configuration with these lines under `plugins`. */
async function policyOf(plugins: string) {
  return (await read(`plugins: { ${plugins} }\n${SOURCES}`)).config.plugins.policy.content;
}

const { version: _, places: __, ...DEFAULTS } = DEFAULT_POLICY;

test('where nothing is said, the defaults are in force', async () => {
  const { places, ...content } = await policyOf('');
  assert.deepEqual(content, DEFAULTS);
  assert.deepEqual(places, { before: 'plugins.', beforeRest: 'plugins.policy.', behind: '' });
});

test('SIMD and grants stand beside the other settings of plugins, or in the policy', async () => {
  const grants =
    '{ scale: { memory: 32MiB, deadline: 300ms, simd: [v128.load, f32x4.mul], features: [threads] } }';
  const flat = await policyOf(`simd: integer, grants: ${grants}`);
  assert.equal(flat.simd, 'integer');
  assert.deepEqual(flat.grants, {
    scale: {
      memory: 32 << 20,
      deadline: 300,
      simd: ['v128.load', 'f32x4.mul'],
      features: ['threads'],
    },
  });
  const inside = await policyOf(`policy: { simd: integer, grants: ${grants} }`);
  assert.deepEqual({ ...inside, places: flat.places }, flat);
  assert.equal(inside.places.before, 'plugins.policy.');
});

test('ceilings and headers are given line by line; the other lines stay', async () => {
  const { ceilings, headers } = await policyOf(
    'policy: { ceilings: { body: 64KiB, functions: 500 }, headers: { request: { Content-Encoding: [identity], X-Trace: none }, response: { "*": none, Date: any } } }',
  );
  assert.deepEqual(ceilings, { ...DEFAULT_POLICY.ceilings, body: 65536, functions: 500 });
  assert.deepEqual(headers, {
    request: { ...DEFAULT_POLICY.headers.request, 'content-encoding': ['identity'], 'x-trace': [] },
    response: { ...DEFAULT_POLICY.headers.response, '*': [], date: 'any' },
  });
});

const WRONG: readonly (readonly [what: string, plugins: string, words: RegExp])[] = [
  [
    'a misspelt word',
    'simd: integr',
    /plugins\.simd: must be none or integer or baseline, but is "integr"; did you mean "integer"/,
  ],
  [
    'a misspelt instruction',
    'simd: [i32x4.ad]',
    /plugins\.simd\[0\]: "i32x4\.ad" is no vector instruction; did you mean "i32x4\.add"/,
  ],
  [
    'a relaxed instruction',
    'simd: [i8x16.relaxed_swizzle]',
    /is relaxed SIMD, which `features` allows as a whole/,
  ],
  ['a number', 'simd: 7', /plugins\.simd: must be .*but is 7/],
  [
    'a misspelt feature',
    'policy: { features: [thread] }',
    /plugins\.policy\.features\[0\]: must be .*did you mean "threads"/,
  ],
  ['a feature that nobody can have', 'grants: { scale: { features: [gc] } }', /features\[0\]: must be /],
  [
    'a misspelt key',
    'policy: { ceiling: {} }',
    /plugins\.policy\.ceiling: unknown key; did you mean "ceilings"/,
  ],
  ['a misspelt ceiling', 'policy: { ceilings: { bdy: 1MiB } }', /bdy: unknown key; did you mean "body"/],
  ['a ceiling above the most', 'policy: { ceilings: { nesting: 2000000 } }', /must be at most 1000000/],
  ['a size above the most', 'policy: { ceilings: { body: 1GiB } }', /body: "1GiB" is not between/],
  [
    'a header that is none',
    'policy: { headers: { request: { "a b": any } } }',
    /is no name of an HTTP header/,
  ],
  ['a header without a value', 'policy: { headers: { request: { a: [] } } }', /is empty/],
  [
    'too little memory',
    'grants: { scale: { memory: 1KiB } }',
    /grants\.scale\.memory: "1KiB" is not between 64KiB and 1GiB/,
  ],
  [
    'SIMD in two places',
    'simd: none, policy: { simd: none }',
    /plugins\.simd: has its place in plugins\.policy/,
  ],
  ['grants beside a file', 'grants: {}, policy: ./p.yaml', /plugins\.grants: has its place in \.\/p\.yaml/],
  [
    'a file that is not there',
    'policy: ./nowhere.yaml',
    /plugins\.policy: .*nowhere\.yaml: there is no such file .*UNREADABLE/,
  ],
];
for (const [what, plugins, words] of WRONG) {
  test(`${what} in a policy is told with its place`, async () => {
    const text = (await problemsOf(`plugins: { ${plugins} }\n${SOURCES}`)).join('\n');
    assert.match(text, words);
    assert.match(text, /^sluice\.yaml:1:\d+: /);
  });
}

test('a policy in a file of its own is read with the configuration, and its mistakes have their own lines', async () => {
  await writeFile(join(folder, 'sluice.yaml'), `plugins: { policy: ./policy.yaml }\n${SOURCES}`);
  const file = join(folder, 'policy.yaml');
  await writeFile(file, 'simd: none\ngrants:\n  scale: { simd: integer }\n');
  const { config } = await loadConfig(join(folder, 'sluice.yaml'), { environment: {} });
  const { content, file: from } = config.plugins.policy;
  assert.deepEqual([content.simd, content.grants], ['none', { scale: { simd: 'integer' } }]);
  assert.deepEqual([from?.path, content.places.behind], [file, ` in ${file}`]);
  await writeFile(file, 'simd: none\ngrants:\n  scale: { smid: integer }\n');
  await assert.rejects(loadConfig(join(folder, 'sluice.yaml'), { environment: {} }), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /policy\.yaml:3:12: grants\.scale\.smid: unknown key; did you mean "simd"/);
    return true;
  });
});

test('an empty file is no policy: it may be about to be written', () => {
  for (const text of ['', '# nothing\n', 'null'])
    assert.throws(() => readPolicy(text, 'policy.yaml'), {
      code: 'SLUICE_CONFIG_INVALID',
      message: /is empty/,
    });
  const { places: _places, ...content } = readPolicy('{}', 'policy.yaml');
  assert.deepEqual(content, DEFAULTS);
});

test('a policy as it is shown can be sent back, and is the same', async () => {
  const content = await policyOf(
    'simd: [v128.load], grants: { a: { memory: 100000B, deadline: 1.5s, simd: none, features: [], imports: [] } }, policy: { imports: [], headers: { request: { "*": none } } }',
  );
  const back = readPolicy(JSON.stringify(writtenPolicy(content)), 'policy.yaml');
  assert.deepEqual({ ...back, places: content.places }, content);
});
