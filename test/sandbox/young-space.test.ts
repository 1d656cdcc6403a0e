import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

/** In a thread with a heap of its own: what many objects make of its young generation. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { getHeapSpaceStatistics, setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const size = () => getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size;
import(workerData).then(async ({ holdYoungSpace, letYoungSpaceGrow }) => {
  const kept = [];
  const work = async () => {
    for (let turn = 0; turn < 20; turn++) {
      for (let i = 0; i < 5000; i++) kept[(turn * 5000 + i) % 40_000] = [i];
      await new Promise(setImmediate);
    }
    return size();
  };
  holdYoungSpace();
  const before = size();
  const grown = await work() - before;
  letYoungSpaceGrow();
  const first = await work();
  // As V8 does behind a quiet time.
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  setFlagsFromString('--no-expose-gc');
  const quiet = size();
  parentPort.postMessage([grown, first, quiet < first, await work()]);
});
`;

test('the young generation does not grow until the start is over, and to 8 MiB from then on, and again behind a quiet time', async () => {
  const workerData = new URL('../../sandbox/young-space.js', import.meta.url).href;
  try {
    const [sizes] = await once(new Worker(THREAD, { eval: true, workerData }), 'message');
    const [grown, first, shrank, again] = sizes as [number, number, boolean, number];
    assert.deepEqual([grown, shrank], [0, true]);
    // V8 doubles it, or adds what it just needs.
    for (const size of [first, again]) assert.ok(size >= 2 ** 23 && size < 2 ** 24, `${size}`);
  } finally {
    setFlagsFromString('--semi-space-growth-factor=2');
  }
});
