import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LoopLoad } from '../../sandbox/slot/loop-load.js';

/** What `isBusy` says behind each tenth of a second in which the loop worked for this share. */
function said(shares: readonly number[]): boolean[] {
  let active = 0;
  let idle = 0;
  const load = new LoopLoad(() => ({ active, idle }));
  return shares.map((share, index) => {
    active += 100 * share;
    idle += 100 * (1 - share);
    return load.isBusy(index * 100);
  });
}

test('a loop that works for nearly all of the time is busy, and stays so until it has a good part of it to spare', () => {
  assert.deepEqual(said([0.2, 0.8, 0.9, 0.8, 0.75, 0.6, 0.8, 1]), [
    false,
    false,
    true,
    true,
    true,
    false,
    false,
    true,
  ]);
});

test('between two looks it says what it said', () => {
  let looks = 0;
  const load = new LoopLoad(() => {
    looks++;
    return { active: looks * 100, idle: 0 };
  });
  for (let now = 0; now < 100; now += 10) assert.equal(load.isBusy(now), true);
  assert.equal(looks, 1);
});

test('a loop without work is not busy', async () => {
  const load = new LoopLoad();
  load.isBusy(0);
  // Another thread comes up and ends: until then this loop has nothing to do.
  await once(new Worker('', { eval: true }), 'exit');
  assert.equal(load.isBusy(1000), false);
});
