import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { checkFile } from '../../../host/plugin-check/check-file.js';
import { checkRules } from '../../../host/plugin-check/check-rules.js';
import { Transpiler } from '../../../host/plugins/transpiler.js';
import {
  admit,
  defaultRules,
  judgeComponentImports,
  readComponent,
  type SluiceError,
} from '../../../runtime/index.js';
import { compile } from '../../../sandbox/worker/compile.js';
import { loadComponent } from '../../../sandbox/worker/component.js';
import { InstanceBudget } from '../../../sandbox/worker/instance-budget.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

const RULES = defaultRules('strange', 16 << 20);

/** As a plugin folder would have it run: transpiled, judged, its script loaded, instantiated. */
async function run(t: TestContext, wat: string): Promise<void> {
  const bytes = await parse(wat);
  const code = await new Transpiler(await tempFolder(t)).transpile('strange', bytes, 'f00d');
  (await loadComponent(code, RULES)).instantiate(() => {});
}

/** Codes of what `plugin check` says of it, beside the manifest that it lacks. */
async function checked(t: TestContext, wat: string): Promise<string[]> {
  const file = join(await tempFolder(t), 'strange.wasm');
  await writeFile(file, await parse(wat));
  const { findings } = await checkFile(file, await checkRules({}));
  return findings.map(({ code }) => code).filter(code => code !== 'SLUICE_MANIFEST_MISSING');
}

/** jco writes the names of exports into its script as they are: this one ends the text and goes on as code. */
const CODE = "x'];globalThis.escaped=1;//";
const ESCAPE = `(component
  (core module $a (func (export "${CODE}") (result i32) i32.const 1))
  (core instance $i (instantiate $a))
  (func (export "configure") (result u32) (canon lift (core func $i "${CODE}"))))`;

test('a name inside a component that would be code in the script that runs it is refused, and does not run', async t => {
  const world = globalThis as { escaped?: number };
  await assert.rejects(run(t, ESCAPE), ({ code, step, message }: SluiceError) => {
    assert.deepEqual([code, step], ['SLUICE_COMPONENT_NAME', 'admit']);
    assert.match(message, /^strange: a core module with the name "x'\];globalThis\.escaped=1;\/\/" among/);
    return true;
  });
  assert.equal(world.escaped, undefined);
  assert.deepEqual(await checked(t, ESCAPE), ['SLUICE_COMPONENT_NAME']);
});

test('a type or an instance that a component imports has a plain name too', () => {
  for (const name of ["url=<https://x'];code()//> (type)", "sluice:plugin/x'y@1.0.0 (instance)"]) {
    const [finding] = judgeComponentImports([name], RULES);
    assert.equal(finding?.code, 'SLUICE_MODULE_IMPORT', name);
  }
});

const MEMORY = '(core module $a (memory (export "m") 1))';

test('a component has one memory, however many modules it is of', async t => {
  const two = `(component ${MEMORY} (core module $b (memory 1)) (core instance (instantiate $a)))`;
  assert.deepEqual(await checked(t, two), ['SLUICE_MODULE_FEATURE']);
});

test('and however many instances it makes of one module', async t => {
  const two = `(component ${MEMORY} (core instance (instantiate $a)) (core instance (instantiate $a)))`;
  assert.deepEqual(await checked(t, two), [], 'that cannot be seen without running it');
  await assert.rejects(run(t, two), {
    code: 'SLUICE_MODULE_FEATURE',
    message: /^strange: 2 memories in the core modules of a component: no policy allows it/,
  });
});

test('the same for tables: all instances together have as many as the policy allows', async () => {
  const bytes = await parse('(module (table 10000 funcref))');
  const { bytes: admitted, facts } = admit(bytes, 'inside a component', RULES);
  const module = compile(admitted, 'strange');
  const { make } = new InstanceBudget(new Map([[module, facts]]), RULES);
  for (let count = 0; count < 16; count++) make(module);
  assert.throws(() => make(module), {
    code: 'SLUICE_MODULE_TABLE',
    message: /policy 1 allows ceilings\.tables: 16/,
  });
});

test('what is inside of components inside is scanned too, also by `plugin check`', async t => {
  const nested = (depth: number): string =>
    depth === 0
      ? '(component (core module $a (func $f return_call $f) (start $f)) (core instance (instantiate $a)))'
      : `(component ${nested(depth - 1).replace('(component', '(component $n')} (instance (instantiate $n)))`;
  assert.deepEqual(await checked(t, nested(3)), ['SLUICE_MODULE_FEATURE']);
});

test('a function that goes on behind its call is refused: no deadline would hold it', async t => {
  const lift = '(canon lift (core func $i "f") async (callback (core func $i "cb")))';
  const code =
    '(core module $a (func (export "f") (result i32) i32.const 0) (func (export "cb") (param i32 i32 i32) (result i32) i32.const 1))';
  const later = `(component ${code} (core instance $i (instantiate $a)) (func (export "configure") async ${lift}))`;
  assert.deepEqual(await checked(t, later), ['SLUICE_MODULE_FEATURE']);
  const yielding = '(component (core func (canon thread.yield)))';
  assert.deepEqual(await checked(t, yielding), ['SLUICE_MODULE_FEATURE']);
});

test('components nested too deep are refused before the stack ends', () => {
  let bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  for (let depth = 0; depth < 120; depth++) {
    const { length } = bytes;
    const size = [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
    bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 4, ...size, ...bytes);
  }
  assert.throws(() => readComponent(bytes), { code: 'SLUICE_MODULE_CEILING' });
});
