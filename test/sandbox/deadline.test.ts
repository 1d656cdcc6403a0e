import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stamp } from '../../sandbox/ring/clock.js';
import { RING } from '../../sandbox/ring/ring-words.js';
import { DeadlineWatch } from '../../sandbox/seat/deadline.js';

const DEADLINE_MS = 100;

/** A watch on a clock and a timer of the test's. */
function rigOf(t: TestContext) {
  const control = new Int32Array(new SharedArrayBuffer(RING.headers * 4));
  control[RING.stage] = -1;
  const late: number[] = [];
  let timer: { readonly at: number; readonly due: () => void } | undefined;
  const rig = {
    late,
    looks: 0,
    limit: () => DEADLINE_MS,
    busy: true,
    now: 0,
    call(): void {
      control[RING.began] = stamp();
      control[RING.calls]!++;
      control[RING.stage] = 0;
    },
    returns(): void {
      control[RING.calls]!++;
      control[RING.stage] = -1;
    },
    /** The loop is there for each look. */
    pass(ms: number): void {
      for (let passed = 0; passed < ms; passed++) rig.stall(1);
    },
    /** The loop does something else for so long, and then what was due. */
    stall(ms: number): void {
      rig.now += ms;
      if (timer === undefined || timer.at > rig.now) return;
      const { due } = timer;
      timer = undefined;
      rig.looks++;
      due();
    },
  };
  t.mock.method(performance, 'now', () => rig.now);
  t.mock.method(globalThis, 'setTimeout', (due: () => void, ms: number) => {
    timer = { at: rig.now + ms, due };
    return timer;
  });
  t.mock.method(globalThis, 'clearTimeout', () => {
    timer = undefined;
  });
  const watch = new DeadlineWatch(
    control,
    () => rig.limit(),
    () => rig.busy,
    (_stage, elapsed) => late.push(elapsed),
  );
  return { rig, watch, late };
}

test('a call that is over its deadline is told of once and at once, whenever it began; calls that return in time never', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  for (let call = 0; call < 10; call++) {
    rig.call();
    rig.pass(DEADLINE_MS - 3);
    rig.returns();
    rig.pass(2);
  }
  assert.deepEqual(late, []);
  assert.ok(rig.looks < 30, `${rig.looks} looks`);
  rig.call();
  rig.pass(DEADLINE_MS - 1);
  assert.deepEqual(late, []);
  rig.pass(2);
  assert.equal(late.length, 1);
  rig.pass(5 * DEADLINE_MS);
  assert.equal(late.length, 1);
});

test('a call that is under way when the watch begins has what is left of its deadline', t => {
  const { rig, watch, late } = rigOf(t);
  rig.call();
  rig.pass(DEADLINE_MS - 10);
  watch.watch(DEADLINE_MS);
  rig.pass(9);
  assert.deepEqual(late, []);
  rig.pass(2);
  assert.equal(late.length, 1);
});

test('a deadline that passed while the loop was late itself is looked at once more: the call has a quarter of it left at most', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  rig.call();
  rig.pass(10);
  rig.stall(3 * DEADLINE_MS);
  assert.deepEqual(late, [], 'it may have had no time on this machine either');
  rig.returns();
  rig.pass(DEADLINE_MS);
  assert.deepEqual(late, []);
  rig.call();
  rig.pass(10);
  rig.stall(3 * DEADLINE_MS);
  rig.pass(DEADLINE_MS / 4 - 2);
  assert.deepEqual(late, []);
  rig.pass(3);
  assert.equal(late.length, 1);
});

test('a loop that was late by less than a quarter of the deadline gives a call no more than that', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  rig.call();
  rig.pass(DEADLINE_MS - 1);
  rig.stall(23);
  assert.deepEqual(late, []);
  rig.pass(20);
  assert.deepEqual(late, []);
  rig.pass(4);
  assert.equal(late.length, 1);
});

test('a deadline that is made shorter while it watches counts from what is published next on', t => {
  const { rig, watch, late } = rigOf(t);
  rig.limit = () => 50 * DEADLINE_MS;
  watch.watch(50 * DEADLINE_MS);
  rig.pass(DEADLINE_MS);
  rig.limit = () => DEADLINE_MS;
  rig.call();
  watch.watch(DEADLINE_MS);
  rig.pass(DEADLINE_MS - 1);
  assert.deepEqual(late, []);
  rig.pass(2);
  assert.equal(late.length, 1);
});

test('it stops looking when nothing is outstanding, and begins anew when asked', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  rig.busy = false;
  rig.pass(DEADLINE_MS);
  assert.equal(rig.looks, 1);
  rig.call();
  rig.pass(2 * DEADLINE_MS);
  assert.deepEqual(late, []);
  watch.watch(DEADLINE_MS);
  rig.pass(1);
  assert.equal(late.length, 1);
});

test('a call that ends while it is looked at is not late by the limit of what comes behind it', t => {
  const { rig, watch, late } = rigOf(t);
  rig.limit = () => 3 * DEADLINE_MS;
  watch.watch(DEADLINE_MS);
  rig.call();
  rig.pass(DEADLINE_MS + 10);
  // A start, which may take longer, has just been looked at when it ends; the limit is that of a call behind it.
  rig.limit = () => {
    rig.returns();
    return DEADLINE_MS;
  };
  rig.pass(DEADLINE_MS);
  assert.deepEqual(late, []);
});
