import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pickBuild } from '../../../host/plugins/simd-build.js';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-call-'));
after(() => rm(folder, { recursive: true }));

const REPLY = '0007 0000 0007 01 03 04 0003 0004';
const call = (...args: string[]) => sluice(['plugin', 'call', ...args]);

function built(name: string): string {
  return fileURLToPath(new URL(`../../../${name}.wasm`, import.meta.url));
}

test('one frame goes through the sandbox and its message is printed', async () => {
  const plugin = built('plugins/modbus-json');
  const { code, stdout } = await call(plugin, '--hex', REPLY, '--topic', 'line1/1/3/0-1');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    'line1/1/3/0-1  application/json  QoS 1\n  {"unit":1,"function":3,"first":0,"values":[3,4]}\n',
  );
  const file = join(folder, 'frame.bin');
  await writeFile(file, Buffer.from(REPLY.replaceAll(' ', ''), 'hex'));
  const tags = '{"tags":[{"name":"v","register":1,"type":"u16"}]}';
  const json = await call(plugin, '--in', file, '--topic', 'line1/1/3/0-1', '--config', tags, '--json');
  const [message] = JSON.parse(json.stdout).messages;
  assert.match(message.text, /"points":\[\{"name":"v","value":4,/);
  assert.equal(message.contentType, 'application/vnd.sluice.points+json');
});

test('a fault is printed by its code, one of the sandbox with its remedy, and the exit code is 1', async () => {
  const short = await call(built('plugins/modbus-json'), '--text', 'hi', '--json');
  assert.equal(short.code, 1);
  assert.equal(JSON.parse(short.stdout).fault.code, 'SLUICE_CONVERT_MALFORMED');
  const trap = await call(built('test/guests/trap'), '--hex', 'ee');
  assert.equal(trap.code, 1);
  assert.match(trap.stdout, /^SLUICE_GUEST_TRAP: .*\n {2}Mend the plugin, .+\n$/);
});

test('a component goes the portable way, with the same result', async () => {
  const { code, stdout, stderr } = await call(built('test/guests/conformance-component'), '--hex', REPLY);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"values":\[3,4\]/);
});

test('what a flush gives out is shown too', async () => {
  const config = '{"window":3,"input":"u16be","skip":9,"flush":true}';
  const { code, stdout } = await call(built('plugins/rms'), '--hex', REPLY, '--config', config, '--json');
  assert.equal(code, 0);
  const { messages, flushed } = JSON.parse(stdout);
  assert.deepEqual(messages, []);
  assert.equal(Buffer.from(flushed[0].payload, 'hex').readFloatLE(), Math.fround(Math.sqrt(12.5)));
});

test('a refused configuration is said with the words of the plugin', async () => {
  const { code, stderr } = await call(built('plugins/rms'), '--hex', '', '--config', '{}');
  assert.equal(code, 1);
  assert.match(stderr, /rms refused its configuration: window is missing/);
});

test('wrong arguments are usage errors', async () => {
  const plugin = built('plugins/modbus-json');
  const usages = [
    [],
    ['--hex', '0'],
    ['--hex', 'xy'],
    ['--hex', '00', '--in', 'x'],
    ['--hex', '00', '--config', '{'],
  ];
  const ended = await Promise.all(usages.map(usage => call(plugin, ...usage)));
  for (const { code, stdout } of ended) assert.deepEqual([code, stdout], [2, '']);
});

test('without SIMD the scalar build beside a file is taken, and a file without one stays', () => {
  const without = { SLUICE_NO_SIMD: '1' };
  assert.equal(pickBuild(built('plugins/rms'), without), built('plugins/rms-scalar'));
  assert.equal(pickBuild(built('plugins/modbus-json'), without), built('plugins/modbus-json'));
  for (const environment of [{}, { SLUICE_NO_SIMD: '' }, { SLUICE_NO_SIMD: '0' }]) {
    assert.equal(pickBuild(built('plugins/rms'), environment), built('plugins/rms'));
  }
});
