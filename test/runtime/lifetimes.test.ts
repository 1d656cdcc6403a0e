import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Leak, Lifetimes } from '../../runtime/index.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function forget(lifetimes: Lifetimes, closed: string[], closes: boolean): void {
  const owner = { name: 'nobody keeps it' };
  lifetimes.watch(owner, 'pipe', 'p1', () => closed.push('p1'));
  if (closes) lifetimes.closed(owner);
}

/** Collections come in their own time: some turns of the loop. */
async function collected(isThere: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20 && !isThere(); turn++) {
    gc();
    await new Promise(setImmediate);
  }
}

test('what nobody closes is closed when it is collected, and told of with the place where it was made', async () => {
  const leaks: Leak[] = [];
  const closed: string[] = [];
  const lifetimes = new Lifetimes(leak => leaks.push(leak));
  forget(lifetimes, closed, false);
  await collected(() => closed.length > 0);
  assert.deepEqual(closed, ['p1']);
  assert.deepEqual([leaks[0]?.kind, leaks[0]?.name], ['pipe', 'p1']);
  assert.match(leaks[0]?.madeAt ?? '', /^at forget \((test\/)?runtime\/lifetimes\.test\.[jt]s:\d+:\d+\)/);
  // A registry that is gone itself tells nothing.
  assert.ok(lifetimes);
});

test('what is closed is no leak', async () => {
  const leaks: Leak[] = [];
  const closed: string[] = [];
  const lifetimes = new Lifetimes(leak => leaks.push(leak));
  forget(lifetimes, closed, true);
  await collected(() => leaks.length > 0);
  assert.deepEqual([leaks, closed], [[], []]);
});

test('what cannot be closed then is told of once more, with why, and ends nothing', async () => {
  const leaks: Leak[] = [];
  const lifetimes = new Lifetimes(leak => leaks.push(leak));
  const watch = (name: string, release: () => unknown): void =>
    lifetimes.watch({ name }, 'pipe', name, release);
  watch('p1', () => Promise.reject(new Error('it is stuck')));
  watch('p2', () => {
    throw new Error('it is gone');
  });
  await collected(() => leaks.length === 4);
  const told = leaks.map(({ name, why }) => `${name} ${why ?? ''}`).sort();
  assert.deepEqual(told, ['p1 ', 'p1 it is stuck', 'p2 ', 'p2 it is gone']);
  assert.ok(lifetimes);
});
