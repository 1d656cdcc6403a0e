import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Watcher } from '../../../host/plugins/watcher.js';
import { Waiting } from '../../support/devices/gateway-peers.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

test('a thousand events lead to a few looks, and the last one sees all', { timeout: 60_000 }, async t => {
  const folder = await tempFolder(t);
  const waiting = new Waiting();
  let looks = 0;
  let seen = 0;
  const watcher = new Watcher(folder, async () => {
    looks++;
    await setTimeout(20);
    seen = (await readdir(folder).catch(() => [])).length;
    waiting.changed();
  });
  t.after(() => watcher.stop());
  await watcher.start();
  const began = performance.now();
  for (let file = 0; file < 1000; file++) await writeFile(join(folder, `f${file}`), '');
  await waiting.until('all files', () => seen === 1000);
  const ms = performance.now() - began;
  assert.ok(looks <= 5 + ms / 80, `${looks} looks in ${Math.round(ms)} ms`);
});

test('nothing is looked at while a change is under way, and once when it is done', async t => {
  const folder = await tempFolder(t);
  let looks = 0;
  const watcher = new Watcher(folder, async () => void looks++);
  t.after(() => watcher.stop());
  await watcher.start();
  const before = looks;
  const made = await watcher.without(async () => {
    await writeFile(join(folder, 'a'), '');
    watcher.poke();
    await watcher.settled();
    assert.equal(looks, before);
    return 'done';
  });
  await watcher.settled();
  assert.deepEqual([made, looks], ['done', before + 1]);
});

test('a folder in which nothing changes is looked at every fifth poll only', { timeout: 60_000 }, async t => {
  const folder = await tempFolder(t);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const waiting = new Waiting();
  let looks = 0;
  const watcher = new Watcher(folder, async () => {
    looks++;
    waiting.changed();
  });
  t.after(() => watcher.stop());
  await watcher.start();
  const before = looks;
  for (let poll = 0; poll < 5; poll++) {
    t.mock.timers.tick(2000);
    // The poll has asked the system before this has.
    await stat(folder);
    await stat(folder);
    await watcher.settled();
  }
  await waiting.until('the fifth', () => looks > before);
  assert.equal(looks - before, 1);
});
