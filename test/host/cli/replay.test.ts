import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { QUARANTINE_SCHEMA, Quarantine } from '../../../host/store/quarantine.js';
import { Store } from '../../../host/store/store.js';
import { guestFile, tempFolder } from '../../support/gateway/gateway-rig.js';
import { sluice } from './support.js';

const GOOD = { id: 7, topic: 'a/b', payload: '0102', timestamp: '5' };
const BAD = { id: 8, source: 's', topic: 'a/c', payload: 'ee', code: 'SLUICE_GUEST_DEADLINE' };

test('frames as the admin API shows them run through a plugin, and each outcome is printed; one refused is exit 1', async t => {
  const file = join(await tempFolder(t), 'frames.json');
  await writeFile(file, JSON.stringify({ total: 2, frames: [GOOD, BAD] }));
  const plain = await sluice(['replay', file, '--plugin', guestFile('trap')]);
  assert.equal(plain.code, 1, plain.stderr);
  assert.match(
    plain.stdout,
    /frame 7 {2}a\/b\n {2}a\/b {2}application\/octet-stream {2}QoS 1\n {4}hex:01 02\n/,
  );
  assert.match(plain.stdout, /frame 8 {2}a\/c {2}\(was SLUICE_GUEST_DEADLINE\)\n {2}SLUICE_GUEST_TRAP: /);
  assert.match(plain.stdout, /trap 1\.0\.0: 2 frames, 1 converted, 1 refused\n$/);
});

test('frames one a line run through a mended plugin, and the outcomes are JSON lines', async t => {
  const file = join(await tempFolder(t), 'frames.jsonl');
  await writeFile(file, `${JSON.stringify(GOOD)}\n${JSON.stringify(BAD)}\n`);
  const { code, stdout, stderr } = await sluice(['replay', file, '-p', guestFile('echo'), '--json']);
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ id, messages }) => [id, messages[0].payload, messages[0].timestamp]),
    [
      [7, '0102', '5'],
      [8, 'ee', '0'],
    ],
  );
});

test('the database of a quarantine is read as it is', async t => {
  const path = join(await tempFolder(t), 'quarantine.db');
  const store = new Store({ fault: fault => assert.fail(fault.message) });
  const database = await store.open({ path, schema: QUARANTINE_SCHEMA, maxBytes: 2 ** 20 });
  const quarantine = await Quarantine.open(database, { held: () => {}, dropped: () => {} });
  const frame = {
    source: 's',
    topic: 'a/b',
    timestamp: 9n,
    payload: Buffer.from('ee01', 'hex'),
    properties: [],
  };
  const fault = { code: 'SLUICE_GUEST_TRAP', message: 'unreachable' } as const;
  await quarantine.put({ frame, route: 'r', plugin: 'trap', version: '1.0.0', stage: 0, fault });
  await store.close();
  const { code, stdout, stderr } = await sluice(['replay', path, '-p', guestFile('echo'), '--json']);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).messages[0].payload, 'ee01');
});

test('a file that holds no frames says which line or frame, and what is wrong with it', async t => {
  const folder = await tempFolder(t);
  for (const [text, words] of [
    ['{"topic":"a"}\nnot json\n', /line 2 is not JSON/],
    ['[{"payload":"00"}]', /frame 1: source and topic have to be texts/],
    ['[{"topic":"a","payload":"0"}]', /frame 1: payload is not hex/],
    [
      '[{"topic":"a","payload":"00","properties":[["k"]]}]',
      /frame 1: properties is not a list of \[key, value\]/,
    ],
    ['SQLite format 3\0 and no more', /frames\.x: /],
  ] as const) {
    const file = join(folder, 'frames.x');
    await writeFile(file, text);
    const { code, stderr } = await sluice(['replay', file, '-p', guestFile('echo')]);
    assert.equal(code, 1);
    assert.match(stderr, words);
    assert.match(stderr, /SLUICE_REPLAY_FILE/);
  }
});
