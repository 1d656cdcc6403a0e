import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { sluiceProcess } from './support.js';

test('the demo runs for a time, and its last line is the summary as JSON: nothing lost, nothing twice', async () => {
  const { code, stdout } = await sluiceProcess(['demo', '--for', '3s', '--json']);
  assert.equal(code, 0);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, number>;
  assert.deepEqual(Object.keys(summary), [
    'framesIn',
    'messagesOut',
    'lost',
    'duplicated',
    'faults',
    'p50Ms',
    'p99Ms',
  ]);
  const { framesIn, messagesOut, lost, duplicated, faults, p50Ms, p99Ms } = summary;
  assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 });
  // Four units every 50 ms are 240, on a machine that has the time.
  assert.ok(framesIn! > 50, `${framesIn} frames`);
  assert.equal(messagesOut, framesIn);
  assert.ok(p50Ms! > 0 && p50Ms! <= p99Ms!);
});

test('the demo without --json shows messages, ends with a line that counts, and cleans up', async t => {
  const folder = await tempFolder(t);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  const { code, stdout, stderr } = await sluiceProcess(['demo', '--for', '2s']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^line1\/\d\/3\/0-11 {2}\{.*"sequence"/m);
  assert.match(stdout, /^pump1\/vibration {2}\{.*"channels":6/m);
  assert.match(
    stdout.trimEnd().split('\n').at(-1)!,
    /frames in, \d+ messages out, 0 lost, 0 duplicated, 0 faults/,
  );
  assert.deepEqual(await readdir(folder), []);
});
