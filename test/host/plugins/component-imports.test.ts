import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkFile } from '../../../host/plugin-check/check-file.js';
import { checkRules } from '../../../host/plugin-check/check-rules.js';
import { Transpiler } from '../../../host/plugins/transpiler.js';
import {
  defaultRules,
  judgeComponentImports,
  readComponent,
  type SluiceError,
} from '../../../runtime/index.js';
import { loadComponent } from '../../../sandbox/worker/component.js';
import { guestFile, tempFolder } from '../../support/gateway/gateway-rig.js';

const RULES = defaultRules('strange', 16 << 20);
const FOREIGN =
  /^strange: imports lag \(func\): policy 1 allows the import "\$root" "log" \(.*\); build without it: plugins have no calls into the host but log$/;

/** A component that asks the host for a function which no plugin gets. */
async function strange(): Promise<Buffer> {
  const bytes = await readFile(guestFile('conformance-component'));
  const at = bytes.indexOf('\0\x03log');
  assert.ok(at > 0);
  bytes.write('lag', at + 2);
  assert.ok(readComponent(bytes).imports.includes('lag (func)'));
  return bytes;
}

async function transpiled(t: TestContext, bytes: Uint8Array) {
  const transpiler = new Transpiler(await tempFolder(t));
  return () => transpiler.transpile('strange', bytes, 'f00d');
}

test('what a component itself imports is judged before anything of it is compiled or linked', async t => {
  const transpile = await transpiled(t, await strange());
  const code = await transpile();
  assert.ok(code.imports.includes('lag (func)'));
  // What is kept says it too.
  assert.deepEqual((await transpile()).imports, code.imports);
  await assert.rejects(
    loadComponent({ ...code, script: 'file:///nowhere.js' }, RULES),
    (error: SluiceError) => {
      assert.deepEqual([error.code, error.step], ['SLUICE_MODULE_IMPORT', 'admit']);
      assert.match(error.message, FOREIGN);
      return true;
    },
  );
});

test('`plugin check` says the same of it', async t => {
  const file = join(await tempFolder(t), 'strange.wasm');
  await writeFile(file, await strange());
  const { findings } = await checkFile(file, await checkRules({}));
  const finding = findings.find(({ code }) => code === 'SLUICE_MODULE_IMPORT');
  assert.match(finding?.message ?? '', /imports lag \(func\): policy 1 allows the import/);
});

test('a component gets log where the policy has it, and types always', () => {
  const types = ['sluice:plugin/types@0.1.0 (instance)', 'frame (type)'];
  assert.deepEqual(judgeComponentImports([...types, 'log (func)'], RULES), []);
  const none = { ...RULES, imports: [{ is: [], rule: 'policy.imports', allow: 'plugins.policy.imports' }] };
  const [refused, ...others] = judgeComponentImports([...types, 'log (func)'], none);
  assert.equal(others.length, 0);
  assert.match(refused?.fix ?? '', /allow it in plugins\.policy\.imports/);
  const wasi = judgeComponentImports(
    ['wasi:cli/stdout@0.2.0 (instance)', 'wasi:io/poll@0.2.0 (instance)'],
    RULES,
  );
  assert.deepEqual(
    wasi.map(({ total, fix }) => [total, fix.slice(0, 18)]),
    [2, 2].map(total => [total, 'build without WASI']),
  );
});
