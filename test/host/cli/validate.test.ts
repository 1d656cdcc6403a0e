import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { appendManifest } from '../../../runtime/index.js';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-validate-'));
after(() => rm(folder, { recursive: true }));

const SOURCES =
  'sources: { a: { modbus: { devices: [ { host: h } ], poll: [ { coils: 0, every: 1s } ] } } }\n';

test('a good file is valid: 0', async () => {
  await writeFile(join(folder, 'sluice.yaml'), SOURCES);
  assert.deepEqual(await sluice(['validate'], { cwd: folder }), {
    code: 0,
    stdout: 'sluice.yaml: valid\n',
    stderr: '',
  });
});

test('a bad file is 78, with every problem on standard error', async () => {
  await writeFile(join(folder, 'bad.yaml'), `${SOURCES}sink: {}\nadmin: { prot: 1 }\n`);
  assert.deepEqual(await sluice(['validate', 'bad.yaml'], { cwd: folder }), {
    code: 78,
    stdout: '',
    stderr:
      'bad.yaml:2:1: sink: unknown key; did you mean "sinks"? (SLUICE_CONFIG_INVALID)\n' +
      'bad.yaml:3:10: admin.prot: unknown key; did you mean "port"? (SLUICE_CONFIG_INVALID)\n',
  });
});

test('--json gives the problems as data', async () => {
  await writeFile(join(folder, 'json.yaml'), `${SOURCES}sink: {}\n`);
  const { code, stdout } = await sluice(['validate', 'json.yaml', '--json'], { cwd: folder });
  assert.equal(code, 78);
  assert.deepEqual(JSON.parse(stdout), {
    file: 'json.yaml',
    valid: false,
    problems: [
      {
        code: 'SLUICE_CONFIG_INVALID',
        severity: 'error',
        file: 'json.yaml',
        line: 2,
        column: 1,
        path: 'sink',
        text: 'unknown key',
        suggestion: 'sinks',
      },
    ],
  });
});

test('a file that is not there is 78 with its own code', async () => {
  const { code, stderr } = await sluice(['validate', 'nowhere.yaml'], { cwd: folder });
  assert.equal(code, 78);
  assert.equal(stderr, 'nowhere.yaml: there is no such file (SLUICE_CONFIG_UNREADABLE)\n');
});

test('plugin names are compared with the manifests in the plugin folder', async () => {
  await mkdir(join(folder, 'plugins'));
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const manifest = {
    name: 'modbus-json',
    version: '1.0.0',
    kind: 'converter',
    accepts: ['modbus'],
    limits: {},
  } as const;
  await writeFile(
    join(folder, 'plugins', 'other-name.wasm'),
    appendManifest(empty, manifest, 'a'.repeat(64)),
  );
  await writeFile(join(folder, 'typo.yaml'), `${SOURCES}routes: [ { from: a, through: [ modbus-jsn ] } ]\n`);
  const { code, stderr } = await sluice(['validate', 'typo.yaml'], { cwd: folder });
  assert.equal(code, 78);
  assert.match(stderr, /did you mean "modbus-json"\? \(SLUICE_PLUGIN_UNKNOWN\)/);
});

test('an admin API that others reach without a token of ours is 78, for validate and start alike', async () => {
  await writeFile(join(folder, 'open.yaml'), `${SOURCES}admin: { host: 0.0.0.0 }\n`);
  for (const command of [
    ['validate', 'open.yaml'],
    ['start', '--config', 'open.yaml'],
  ]) {
    const { code, stderr } = await sluice(command, { cwd: folder });
    assert.equal(code, 78, command[0]);
    assert.match(
      stderr,
      /open\.yaml:2:16: admin\.host: .*`admin\.token` is not set \(SLUICE_ADMIN_EXPOSED\)/,
    );
  }
});
