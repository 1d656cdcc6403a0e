import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-vectors-'));
after(() => rm(folder, { recursive: true }));

const PLUGIN = built('plugins/modbus-json');
const SOURCE = fileURLToPath(new URL('../../../../plugins-wasm/modbus-json', import.meta.url));
const GOOD = {
  name: 'one register',
  frame: { topic: 'line1/1/3/0-0', payload: '0007 0000 0005 01 03 02 00d7' },
  messages: [{ contentType: 'application/json', json: { unit: 1, function: 3, first: 0, values: [215] } }],
};

function built(name: string): string {
  return fileURLToPath(new URL(`../../../${name}.wasm`, import.meta.url));
}

interface Report {
  passed: number;
  failed: number;
  vectors: { name: string; ok: boolean; differences: { what: string; expected: string; actual: string }[] }[];
  notes: string[];
}

async function testFile(vectors: unknown, plugin = PLUGIN): Promise<{ code: number; report: Report }> {
  const file = join(folder, 'vectors.json');
  await writeFile(file, JSON.stringify(vectors));
  const { code, stdout, stderr } = await sluice(['plugin', 'test', plugin, '--vectors', file, '--json']);
  assert.notEqual(stdout, '', stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

test('all vectors of modbus-json go through the real sandbox, exact to the nanosecond', async () => {
  const vectors = JSON.parse(await readFile(join(SOURCE, 'vectors.json'), 'utf8')) as unknown[];
  const { code, report } = await testFile(vectors);
  assert.deepEqual([code, report.passed, report.failed], [0, vectors.length, 0]);
});

test('more vectors than a ring takes at once are all run, in their order', async () => {
  const many = Array.from({ length: 500 }, (_, i) => ({
    ...GOOD,
    name: `vector ${i}`,
    frame: { topic: `t/${i}`, payload: '00070000000501030200d7', timestamp: `${i}` },
    messages: [{ contentType: 'application/json', text: '{"unit":1,"function":3,"values":[215]}' }],
  }));
  const { code, report } = await testFile(many);
  assert.deepEqual([code, report.passed], [0, 500]);
  assert.equal(report.vectors[499]?.name, 'vector 499');
});

test('each thing that differs is named, with both sides', async () => {
  const fault = { code: 'SLUICE_CONVERT_DEVICE', text: 'no' };
  const wrong = [
    { ...GOOD, messages: [{ ...GOOD.messages[0], topic: 'other', qos: 2, retain: true }] },
    { ...GOOD, messages: [] },
    { name: 'fault', frame: GOOD.frame, fault },
    { ...GOOD, messages: [{ contentType: 'application/json', payload: 'ff 00' }] },
    GOOD,
  ];
  const { code, report } = await testFile(wrong);
  assert.equal(code, 1);
  assert.deepEqual([report.passed, report.failed], [1, 4]);
  const [fields, none, faulted, bytes, good] = report.vectors.map(({ differences }) => differences);
  assert.deepEqual(fields, [
    { what: 'message 1 topic', expected: 'other', actual: 'line1/1/3/0-0' },
    { what: 'message 1 QoS', expected: '2', actual: '1' },
    { what: 'message 1 retain', expected: 'true', actual: 'false' },
  ]);
  assert.match(none?.[0]?.actual ?? '', /^1 message\(s\): \{"unit":1/);
  assert.equal(faulted?.[0]?.expected, 'SLUICE_CONVERT_DEVICE: no');
  assert.equal(bytes?.[0]?.expected, 'hex:ff 00');
  assert.deepEqual(good, []);
});

test('a plugin that traps or hangs in one vector fails that vector by its code, and the others pass', async () => {
  const ok = { name: 'ok', frame: { topic: 't', payload: '01' }, messages: [{ payload: '01' }] };
  const bad = { name: 'bad', frame: { topic: 't', payload: 'ee' }, messages: [] };
  for (const [guest, code] of [
    ['trap', 'SLUICE_GUEST_TRAP'],
    ['spin', 'SLUICE_GUEST_DEADLINE'],
  ] as const) {
    const { code: exit, report } = await testFile([ok, bad, ok], built(`test/guests/${guest}`));
    assert.equal(exit, 1);
    assert.deepEqual(
      report.vectors.map(each => each.ok),
      [true, false, true],
      guest,
    );
    assert.match(report.vectors[1]?.differences[0]?.actual ?? '', new RegExp(`^${code}: `));
  }
});

test('vectors that cannot be read are refused by place and field', async () => {
  const cases: [unknown, RegExp][] = [
    ['no JSON', /SLUICE_PLUGIN_VECTORS/],
    [[], /not a list of at least one vector/],
    [[GOOD, { name: 'x' }], /vector 2: frame: is not an object/],
    [[{ ...GOOD, frame: { topic: 't', payload: 'xyz' } }], /vector 1: frame\.payload: is not hex/],
    [[{ name: 'x', frame: GOOD.frame }], /vector 1: has to have either messages or fault/],
  ];
  for (const [content, why] of cases) {
    const file = join(folder, 'bad.json');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    const { code, stdout, stderr } = await sluice(['plugin', 'test', PLUGIN, '--vectors', file]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, why);
  }
});
