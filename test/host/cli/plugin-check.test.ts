import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkFile } from '../../../host/plugin-check/check-file.js';
import type { CheckReport } from '../../../host/plugin-check/check-report.js';
import { type CheckRuleOptions, checkRules } from '../../../host/plugin-check/check-rules.js';
import { showReport } from '../../../host/plugin-check/check-text.js';
import { guestFile, tempFolder, unpacked, variant } from '../../support/gateway/gateway-rig.js';
import { Signer } from '../../support/gateway/signing-rig.js';
import { sluice, sluiceProcess } from './support.js';

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const BUILT = guestFile('modbus-json');
const COMPONENT = guestFile('conformance-component');
const RMS = BUILT.replace('modbus-json', 'rms');

/** What the command does with one file. */
async function check(file: string, options: CheckRuleOptions = {}): Promise<CheckReport> {
  return checkFile(file, await checkRules(options));
}

const codesOf = ({ findings }: CheckReport) => [...new Set(findings.map(({ code }) => code))];

type Put = (name: string, content: string | Uint8Array) => Promise<string>;

async function folder(t: TestContext): Promise<{ cwd: string; put: Put }> {
  const cwd = await tempFolder(t);
  const put: Put = async (name, content) => {
    const file = join(cwd, name);
    await writeFile(file, content);
    return file;
  };
  return { cwd, put };
}

test('the report has imports, exports, memory, features, every opcode, manifest, signature and verdict', async () => {
  const report = await check(BUILT);
  assert.equal(report.manifest?.name, 'modbus-json');
  for (const name of ['memory (memory)', 'sluice_arena (function)', 'convert (function)'])
    assert.ok(report.exports?.includes(name), name);
  assert.deepEqual([report.imports, report.kind], [['$root.log (function)'], 'core']);
  assert.deepEqual(
    report.memory?.map(({ min, shared }) => [min, shared]),
    [[1, false]],
  );
  assert.ok(report.features?.includes('mvp'));
  // One for each function and each block, at least.
  const { end = 0, block = 0, loop = 0, if: ifs = 0 } = report.opcodes ?? {};
  assert.ok(end >= (report.functions ?? 0) + block + loop + ifs);
  assert.deepEqual(
    [report.ok, report.verdict, report.signature?.state, report.findings, report.denied],
    [true, 'ok', 'unsigned', [], []],
  );
  const text = showReport(report);
  assert.match(text, /: ok\n {2}plugin {4}modbus-json .*converter/);
  assert.match(text, /\n {2}signature not signed\n[\s\S]*\n {2}opcodes {3}\S+ \d+, .* others/);
});

test('of a component it says what it and the core modules inside it are', async () => {
  const report = await check(COMPONENT);
  assert.ok(report.ok && report.imports?.includes('log (func)'));
  for (const name of ['configure', 'convert', 'flush'])
    assert.ok(report.exports?.includes(`${name} (func)`), name);
  const inside = report.modules?.find(({ exports }) => exports.includes('convert (function)'));
  assert.ok((inside?.opcodes['local.get'] ?? 0) > 100);
  assert.ok((report.opcodes?.['local.get'] ?? 0) > (inside?.opcodes['local.get'] ?? 0));
  assert.match(showReport(report), /inside {4}a core module of \d+ bytes\n {4}imports/);
  assert.deepEqual(codesOf(await check(COMPONENT, { memory: 65_536 })), ['SLUICE_MODULE_MEMORY']);
});

test('every reason is told, each by the code that the gateway would refuse by', async t => {
  const { cwd, put } = await folder(t);
  const good = await readFile(BUILT);
  const damaged = Buffer.from(good);
  damaged[good.indexOf('sluice_arena')]! ^= 1;
  const cases: [string, string | Uint8Array, string[]][] = [
    ['empty.wasm', '', ['SLUICE_MODULE_NOT_WASM']],
    ['text.wasm', 'hello, world', ['SLUICE_MODULE_NOT_WASM']],
    ['cut.wasm', good.subarray(0, 100), ['SLUICE_MODULE_MALFORMED']],
    ['plain.wasm', EMPTY, ['SLUICE_MANIFEST_MISSING']],
    ['bare.wasm', (await unpacked('echo')).code, ['SLUICE_MANIFEST_MISSING']],
    ['damaged.wasm', damaged, ['SLUICE_MODULE_HASH', 'SLUICE_MODULE_EXPORT']],
    ['abi.wasm', await readFile(guestFile('wrong-abi')), ['SLUICE_ABI_UNSUPPORTED']],
    ['missing.wasm', await readFile(guestFile('missing-export')), ['SLUICE_MODULE_EXPORT']],
    ['import.wasm', await readFile(guestFile('bad-import')), ['SLUICE_MODULE_IMPORT']],
  ];
  for (const [name, content, codes] of cases) {
    const report = await check(await put(name, content));
    assert.deepEqual([report.ok, codesOf(report)], [false, codes], name);
    for (const { message, remedy } of report.findings) {
      assert.ok(message.startsWith(report.file), message);
      assert.match(remedy, /^.{20,}/);
    }
  }
  for (const nothing of [join(cwd, 'nowhere.wasm'), cwd])
    assert.deepEqual(codesOf(await check(nothing)), ['SLUICE_MODULE_UNREADABLE']);
  assert.match(
    showReport(await check(join(cwd, 'damaged.wasm'))),
    /damaged\.wasm: refused\n {2}SLUICE_MODULE_HASH: its bytes have .*\n {4}Copy the file again/,
  );
});

test('a manifest beside the file counts as in a plugin folder', async t => {
  const { put } = await folder(t);
  const { code, json } = await unpacked('echo');
  await put('plain.json', json);
  const { ok, manifest } = await check(await put('plain.wasm', code));
  assert.deepEqual([ok, manifest?.name], [true, 'echo']);
});

test('every instruction beyond the grant is told with its place, a hundred of them and the total', async () => {
  const { findings, opcodes = {} } = await check(RMS, { simd: 'integer' });
  assert.ok(findings.length > 20);
  for (const { code: refused, opcode, offset, total = 0 } of findings) {
    assert.equal(refused, 'SLUICE_MODULE_OPCODE');
    assert.match(opcode ?? '', /f(32x4|64x2)/);
    assert.ok(offset !== undefined && total >= findings.length);
  }
  const none = await check(RMS, { simd: 'none' });
  assert.equal(none.findings.length, 100);
  assert.match(
    showReport(none),
    /SLUICE_MODULE_OPCODE: .*simd: none \(\d+, the first 100 are listed\)\n {4}\S+ at byte \d+ in function \d+/,
  );
  const all = Object.keys(opcodes).filter(name => /x\d|v128/.test(name));
  assert.ok((await check(RMS, { simd: all })).ok);
});

test('keys ask for a signature once there is one, and a configuration judges as its gateway would', async t => {
  const { cwd, put } = await folder(t);
  const signer = new Signer();
  const bytes = await variant('echo', {});
  const echo = await put('echo.wasm', bytes);
  const keys = join(cwd, 'keys');
  await mkdir(keys);
  assert.ok((await check(echo, { keys })).ok);
  await signer.trustIn(keys);
  assert.deepEqual(codesOf(await check(echo, { keys })), ['SLUICE_SIGNATURE_MISSING']);
  await put('echo.wasm.sig', signer.sign(bytes));
  const signed = await check(echo, { keys });
  assert.deepEqual([signed.ok, signed.signature], [true, { state: 'signed', key: signer.id }]);
  assert.match(showReport(signed), /\n {2}signature by the trusted key [0-9a-f]{16}\n/);

  const device = { devices: [{ host: '127.0.0.1' }], poll: [{ holding: '0-3', every: '1s' }] };
  const written = (plugins: object) =>
    put('sluice.yaml', JSON.stringify({ sources: { line1: { modbus: device } }, plugins }));
  const config = await written({ memory: '64KiB' });
  assert.deepEqual(codesOf(await check(BUILT, { config })), ['SLUICE_SIGNATURE_MISSING']);
  assert.deepEqual(codesOf(await check(COMPONENT, { config })), [
    'SLUICE_SIGNATURE_MISSING',
    'SLUICE_MODULE_MEMORY',
  ]);
  await written({ signatures: 'warn' });
  assert.ok((await check(BUILT, { config })).ok);
  await written({ signatures: 'off', simd: 'none' });
  assert.deepEqual(codesOf(await check(RMS, { config })), ['SLUICE_MODULE_OPCODE']);
  await written({ signatures: 'off', simd: 'none', grants: { rms: { simd: 'baseline' } } });
  assert.deepEqual(codesOf(await check(RMS, { config })), []);
  await put('policy.yaml', 'ceilings: { functions: 1 }\n');
  await written({ signatures: 'off', policy: './policy.yaml' });
  assert.deepEqual(codesOf(await check(RMS, { config })), ['SLUICE_MODULE_CEILING']);
  await written({ memmory: 1 });
  await assert.rejects(check(BUILT, { config }), { code: 'SLUICE_CONFIG_INVALID' });
});

test('names from a module steer no terminal', async t => {
  const { put } = await folder(t);
  const name = '\u001b[2J\u202e';
  const text = Buffer.from(name);
  const section = Buffer.from([0, text.length + 1, text.length, ...text]);
  const shown = showReport(await check(await put('x.wasm', Buffer.concat([EMPTY, section]))));
  assert.match(shown, /sections {2}\ufffd\[2J\ufffd \(\d+\)/);
});

test('options that cannot be used are usage errors, with a guess', async () => {
  const wrong = await sluice(['plugin', 'check', RMS, '--simd', 'f32x4.ad']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /f32x4\.ad is no fixed-width vector instruction; did you mean "f32x4\.add"\?/);
  assert.equal((await sluice(['plugin', 'check', BUILT, '--memory', 'much'])).code, 2);
});

test('a thousand files are checked in one call with little memory, a line each', {
  timeout: 120_000,
}, async t => {
  const { cwd, put } = await folder(t);
  const bytes = await variant('echo', {});
  const names = Array.from({ length: 1000 }, (_, index) => `p${index}.wasm`);
  for (const [index, name] of names.entries()) await put(name, index % 100 === 7 ? `bad ${index}` : bytes);
  const node = ['--max-old-space-size=48'];
  const { code, stdout } = await sluiceProcess(['plugin', 'check', '--json', ...names], { cwd, node });
  assert.equal(code, 1);
  const lines = stdout.trim().split('\n');
  const reports = lines.map(line => JSON.parse(line) as CheckReport);
  assert.deepEqual(
    reports.map(({ file }) => file),
    names,
  );
  assert.equal(reports.filter(({ ok }) => !ok).length, 10);
  const few = await sluice(['plugin', 'check', 'p6.wasm', 'p7.wasm'], { cwd });
  assert.equal(few.code, 1);
  assert.match(few.stdout, /^p6\.wasm: ok\n[\s\S]*\np7\.wasm: refused\n[\s\S]*\n2 files, 1 refused\n$/);
});
