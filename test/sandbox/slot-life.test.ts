import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Leak, Lifetimes, SluiceError } from '../../runtime/index.js';
import { Ring, SandboxPool } from '../../sandbox/index.js';
import { chainOf, guestStage, SlotRig } from '../support/chain/slot-rig.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** The threads that a pool gives, in order. */
function taken(pool: SandboxPool): ReturnType<SandboxPool['take']>[] {
  const threads: ReturnType<SandboxPool['take']>[] = [];
  const take = pool.take.bind(pool);
  pool.take = () => {
    const sandbox = take();
    threads.push(sandbox);
    return sandbox;
  };
  return threads;
}

const bytes = (...values: number[]): Buffer[] => values.map(value => Buffer.from([value]));

test('swaps asked for at the same time are made one after the other, the last one stays', async () => {
  await using rig = new SlotRig();
  const echo = await guestStage('echo');
  await Promise.all([[echo], [echo, echo], [echo, echo, echo]].map(stages => rig.slot.swap(chainOf(stages))));
  assert.equal(rig.slot.generation, 3);
  assert.equal(rig.slot.spec?.stages.length, 3);
  const [outcome] = await rig.run(bytes(1));
  assert.equal(outcome?.code, undefined);
  assert.ok(rig.pool.busy <= 2);
});

test('a swap that fails in a row of swaps stops neither the one before nor the one behind', async () => {
  await using rig = new SlotRig();
  const echo = await guestStage('echo');
  const results = await Promise.allSettled([
    rig.slot.swap(chainOf([echo])),
    rig.slot.swap(chainOf([await guestStage('missing-export')])),
    rig.slot.swap(chainOf([echo, echo])),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(rig.slot.generation, 2);
});

test('stopping while a guest spins takes no longer than the patience, and leaves no thread', async () => {
  const rig = new SlotRig();
  await rig.serve(['spin'], { deadlineMs: 60_000, startDeadlineMs: 60_000 });
  await rig.push(bytes(0xee));
  const began = performance.now();
  await rig.slot.stop(AbortSignal.timeout(100));
  assert.ok(performance.now() - began < 10_000, 'it did not wait for the deadline, a minute');
  assert.equal(rig.slot.state, 'stopped');
  await rig.pool.close();
  assert.equal(rig.pool.size, 0);
});

test('stopping during a restart leaves the slot stopped and gives the thread back', async () => {
  await using rig = new SlotRig();
  const threads = taken(rig.pool);
  await rig.serve(['echo']);
  threads[0]?.kill('SLUICE_GUEST_HEAP', 'by the test');
  await threads[0]?.ended;
  assert.equal(rig.slot.state, 'recovering');
  await rig.slot.stop(AbortSignal.timeout(1000));
  await threads[1]?.ended;
  assert.equal(rig.slot.state, 'stopped');
  assert.equal(rig.pool.busy, 0);
});

test('a restart that finds no thread is told of, and a swap brings the slot back with nothing lost', async () => {
  await using rig = new SlotRig();
  await rig.serve(['spin'], { deadlineMs: 50, startDeadlineMs: 200 });
  const { pool } = rig;
  const take = pool.take.bind(pool);
  const others = Array.from({ length: pool.limit - pool.busy }, () => pool.take());
  // The thread that dies would make room for itself: somebody else is faster.
  pool.take = () => {
    others.push(take());
    return take();
  };
  await rig.push(bytes(0xee, 1));
  await rig.until(() => rig.failures.length > 0);
  assert.equal(rig.failures[0]?.code, 'SLUICE_SANDBOX_LIMIT');
  assert.equal(rig.slot.state, 'failed');
  const echo = chainOf([await guestStage('echo')]);
  // However long this takes: the slot's own retries find no thread meanwhile.
  pool.take = () => {
    throw new SluiceError('SLUICE_SANDBOX_LIMIT', 'by the test');
  };
  await Promise.all(others.map(one => one.close(1000)));
  pool.take = take;
  await rig.slot.swap(echo);
  const outcomes = await rig.settle();
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    [
      [1, undefined],
      [2, undefined],
    ],
  );
});

test('a spare that dies is replaced, and nobody is given a dead thread', async () => {
  await using rig = new SlotRig();
  const { pool } = rig;
  const spare = pool.take();
  spare.kill('SLUICE_GUEST_HEAP', 'by the test');
  await spare.ended;
  await rig.serve(['echo']);
  const [outcome] = await rig.run(bytes(1));
  assert.equal(outcome?.code, undefined);
});

test('a generation that dies before its first call is started again', async () => {
  await using rig = new SlotRig();
  const threads = taken(rig.pool);
  const serving = rig.serve(['echo']);
  await serving;
  threads[0]?.kill('SLUICE_GUEST_HEAP', 'by the test');
  const outcomes = await rig.run(bytes(1, 2));
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [undefined, undefined],
  );
});

test('a slab that grew or shrank while nobody served is known to who serves next', async () => {
  await using rig = new SlotRig();
  const threads = taken(rig.pool);
  await rig.serve(['echo'], { deadlineMs: 5000 });
  for (let round = 0; round < 3; round++) {
    threads.at(-1)?.kill('SLUICE_GUEST_HEAP', 'by the test');
    await threads.at(-1)?.ended;
    // Larger than a slab of first size takes; it shrinks again with the ack.
    await rig.run([Buffer.alloc(700_000, round), Buffer.from([round])]);
    await rig.run(bytes(round));
  }
  assert.equal(rig.outcomes.length, 9);
  assert.ok(rig.outcomes.every(({ code }) => code === undefined));
  assert.equal(rig.outcomes[6]?.messages[0]?.payload.length, 700_000);
});

test('the thread of the version before is the next spare: swaps take turns on few threads', async () => {
  await using rig = new SlotRig();
  const threads = taken(rig.pool);
  const counter = [await guestStage('counter')];
  for (let swap = 0; swap < 8; swap++) {
    await rig.slot.swap(chainOf(counter));
    assert.ok(rig.pool.size <= 2);
  }
  // Where a drain takes 200 ms a fresh one comes in between, so more than two may have a turn, but not a new one each time.
  const different = new Set(threads).size;
  assert.ok(different <= 4, `${different} threads for ${threads.length} versions`);
  const outcomes = await rig.run(bytes(1, 2));
  assert.ok(outcomes.every(({ code }) => code === undefined));
});

test('a spare that one swap has ordered does not come up in the midst of the next', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await using rig = new SlotRig();
  const echo = chainOf([await guestStage('echo')]);
  await rig.slot.swap(echo);
  t.mock.timers.tick(100);
  await rig.slot.swap(echo);
  assert.deepEqual([rig.pool.size, rig.pool.busy], [2, 1]);
  t.mock.timers.tick(99);
  const next = rig.slot.swap(echo);
  for (let turn = 0; turn < 1000 && rig.pool.busy < 2; turn++) await Promise.resolve();
  assert.equal(rig.pool.busy, 2);
  t.mock.timers.tick(1);
  assert.equal(rig.pool.size, 2);
  await next;
  assert.equal(rig.pool.size, 2);
});

test('where there was no room for a spare until the version before had drained, one comes up then', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await using pool = new SandboxPool({ threads: 2, sessions: 1 });
  await using rig = new SlotRig(pool);
  const echo = chainOf([await guestStage('echo')]);
  await rig.slot.swap(echo);
  t.mock.timers.tick(100);
  await rig.slot.swap(echo);
  // Its thread is about to end.
  t.mock.timers.tick(100);
  assert.equal(pool.busy, 2);
  for (let turn = 0; turn < 10_000 && pool.size > 1; turn++) await new Promise(setImmediate);
  assert.equal(pool.size, 1);
  t.mock.timers.tick(300);
  assert.deepEqual([pool.size, pool.busy], [2, 1]);
});

test('a thread whose session was ended in the midst of a call, or that has run many, is no spare again', async () => {
  await using pool = new SandboxPool({ threads: 4, sessions: 3 });
  await using rig = new SlotRig(pool);
  const threads = taken(pool);
  await rig.serve(['spin'], { deadlineMs: 50, startDeadlineMs: 200 });
  await rig.push(bytes(0xee));
  const echo = chainOf([await guestStage('echo')]);
  await rig.slot.swap(echo);
  await rig.settle();
  assert.equal(threads[0]?.isFit, false);
  for (let swap = 0; swap < 6; swap++) await rig.slot.swap(echo);
  assert.ok(new Set(threads).size >= 4);
  assert.ok(!threads.slice(-2).includes(threads[1] as (typeof threads)[0]));
});

test('a fault in a thread that serves its second version names that version', async () => {
  await using rig = new SlotRig();
  await rig.serve(['echo']);
  await rig.serve(['counter']);
  await assert.rejects(rig.serve(['spin-at-start'], { startDeadlineMs: 100 }), /spin-at-start/);
  const [outcome] = await rig.run(bytes(1));
  assert.equal(outcome?.code, undefined);
});

test('20 swaps leave no more threads, ports and timers than one', async () => {
  await using rig = new SlotRig();
  await rig.serve(['echo']);
  const spec = chainOf([await guestStage('echo')]);
  for (let swap = 0; swap < 20; swap++) await rig.slot.swap(spec);
  await rig.run(bytes(1));
  // One serves, one is spare, one at most is on its way out.
  assert.ok(rig.pool.size <= 3, `${rig.pool.size} sandboxes`);
  const ports = process.getActiveResourcesInfo().filter(kind => kind === 'MessagePort');
  assert.ok(ports.length <= 6, `${ports.length} ports`);
});

test('a sandbox that was started and that nobody took to a seat is ended: by `using`, else when it is collected', async () => {
  const leaks: Leak[] = [];
  await using pool = new SandboxPool({
    threads: 3,
    lifetimes: new Lifetimes(leak => leaks.push(leak)),
  });
  const ring = new Ring({ published: () => {}, replaced: () => {} });
  const spec = chainOf([await guestStage('echo')]);
  const ended = async (): Promise<void> => {
    for (let turn = 0; pool.busy > 0; turn++) {
      gc();
      assert.ok(turn < 1000, 'it runs still');
      await new Promise(setImmediate);
    }
  };
  {
    using candidate = await pool.start(spec, ring);
    assert.ok(candidate);
  }
  await ended();
  assert.equal(leaks.length, 0);
  await (async () => void (await pool.start(spec, ring)))();
  await ended();
  assert.deepEqual(
    leaks.map(({ kind, name }) => [kind, name]),
    [['sandbox', 'echo']],
  );
  assert.match(leaks[0]?.madeAt ?? '', /sandbox\/pool\/pool\./);
});

test('a stop that is cut short ends at the border of the batch: what it had run is delivered, the rest waits for the next swap', async () => {
  await using rig = new SlotRig();
  await rig.serve(['slow'], { deadlineMs: 5000, config: '{"ms":20}' });
  rig.slot.ring.batchLimit = 1;
  await rig.push(bytes(0xee, 0xee));
  const stop = new AbortController();
  const stopped = rig.slot.stop(stop.signal);
  stop.abort();
  await stopped;
  const delivered = rig.outcomes.length;
  assert.ok(delivered < 2, `${delivered}`);
  await rig.serve(['echo']);
  await rig.settle();
  assert.deepEqual(
    rig.outcomes.map(({ sequence, code }) => [sequence, code]),
    [
      [1, undefined],
      [2, undefined],
    ],
  );
});

test('a swap that waits for room ends with the stop, and its thread too', async () => {
  const rig = new SlotRig();
  await rig.serve(['spin'], { deadlineMs: 60_000, startDeadlineMs: 60_000 });
  await rig.push(bytes(0xee));
  const swapped = rig.slot.swap(chainOf([await guestStage('echo')]));
  const refused = assert.rejects(swapped, /stopped before it could take over/);
  await rig.slot.stop(AbortSignal.timeout(100));
  await refused;
  await rig.pool.close();
  assert.equal(rig.pool.size, 0);
});
