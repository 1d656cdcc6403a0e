import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DeadlineWatch } from '../../sandbox/deadline.js';
import { RING } from '../../sandbox/ring-words.js';

const DEADLINE_MS = 100;
/** It looks twenty times a deadline. */
const PERIOD_MS = 5;

/** A watch on a clock of the test's. */
function rigOf(t: TestContext) {
  const control = new Int32Array(new SharedArrayBuffer(RING.headers * 4));
  control[RING.stage] = -1;
  const late: number[] = [];
  const rig = {
    late,
    busy: true,
    now: 0,
    call(): void {
      control[RING.calls]!++;
      control[RING.stage] = 0;
    },
    returns(): void {
      control[RING.calls]!++;
      control[RING.stage] = -1;
    },
    /** The loop is there for each look. */
    pass(ms: number): void {
      for (let passed = 0; passed < ms; passed += PERIOD_MS) rig.stall(PERIOD_MS);
    },
    /** The loop does something else for so long. */
    stall(ms: number): void {
      rig.now += ms;
      t.mock.timers.tick(PERIOD_MS);
    },
  };
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => rig.now);
  const watch = new DeadlineWatch(
    control,
    () => DEADLINE_MS,
    () => rig.busy,
    (_stage, elapsed) => late.push(elapsed),
  );
  return { rig, watch, late };
}

test('a call that is over its deadline is told of once, and calls that return in time never', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  for (let call = 0; call < 10; call++) {
    rig.call();
    rig.pass(DEADLINE_MS - PERIOD_MS);
    rig.returns();
    rig.pass(PERIOD_MS);
  }
  assert.deepEqual(late, []);
  rig.call();
  rig.pass(5 * DEADLINE_MS);
  assert.deepEqual(late, [DEADLINE_MS]);
});

test('a deadline that passed while the loop was late itself is looked at once more: the call has a quarter of it left', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  rig.call();
  rig.pass(2 * PERIOD_MS);
  rig.stall(3 * DEADLINE_MS);
  assert.deepEqual(late, [], 'it may have had no time on this machine either');
  rig.returns();
  rig.pass(DEADLINE_MS);
  assert.deepEqual(late, []);
  rig.call();
  rig.pass(2 * PERIOD_MS);
  rig.stall(3 * DEADLINE_MS);
  rig.pass(DEADLINE_MS / 4 - PERIOD_MS);
  assert.deepEqual(late, []);
  rig.pass(PERIOD_MS);
  assert.deepEqual(late, [DEADLINE_MS]);
});

test('it stops looking when nothing is outstanding, and begins anew when asked', t => {
  const { rig, watch, late } = rigOf(t);
  watch.watch(DEADLINE_MS);
  rig.busy = false;
  rig.pass(2 * PERIOD_MS);
  rig.call();
  rig.pass(2 * DEADLINE_MS);
  assert.deepEqual(late, []);
  watch.watch(DEADLINE_MS);
  rig.pass(2 * DEADLINE_MS);
  assert.equal(late.length, 1);
});
