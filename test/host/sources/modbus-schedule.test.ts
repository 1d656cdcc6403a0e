import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Schedule, type ScheduleLine } from '../../../host/sources/modbus/schedule.js';

/** A schedule with a log of what it said, and when. */
function recorded(lines: readonly ScheduleLine<string>[]) {
  const log: string[] = [];
  const counts = new Map<string, { due: number; missed: number }>();
  const count = (item: string) => {
    const entry = counts.get(item) ?? { due: 0, missed: 0 };
    counts.set(item, entry);
    return entry;
  };
  let now = 0;
  const schedule = new Schedule<string>(
    lines,
    item => {
      log.push(`${item}@${now}`);
      count(item).due += 1;
    },
    (item, periods) => {
      log.push(`${item} missed ${periods}`);
      count(item).missed += periods;
    },
  );
  const run = (at: number): number => {
    now = at;
    return schedule.run(at);
  };
  return { schedule, log, counts, run };
}

test('first polls are spread evenly over the period', () => {
  const { schedule, log, run } = recorded([{ everyMs: 100, items: ['a', 'b', 'c', 'd'] }]);
  schedule.start(1_000);
  for (let now = 1_000; now < 1_100; now++) run(now);
  assert.deepEqual(log, ['a@1000', 'b@1025', 'c@1050', 'd@1075']);
});

test('a timer that is always late does not make the polls drift', () => {
  const { schedule, log, run } = recorded([{ everyMs: 100, items: ['a'] }]);
  schedule.start(0);
  for (const now of [3, 103, 207, 301, 409]) run(now);
  assert.deepEqual(log, ['a@3', 'a@103', 'a@207', 'a@301', 'a@409']);
  assert.equal(run(450), 500);
});

test('after a standstill each item is done once and what was missed is counted', () => {
  const { schedule, log, run } = recorded([{ everyMs: 100, items: ['a', 'b'] }]);
  schedule.start(0);
  run(60);
  assert.deepEqual(log.splice(0), ['a@60', 'b@60']);
  assert.equal(run(460), 500);
  assert.deepEqual(log, ['a missed 3', 'b missed 3', 'a@460', 'b@460']);
});

test('it says when to come again: the soonest of all lines, or never', () => {
  const { schedule, run } = recorded([
    { everyMs: 70, items: ['a'] },
    { everyMs: 100, items: ['b', 'c'] },
    { everyMs: 5, items: [] },
  ]);
  schedule.start(0);
  assert.equal(run(0), 50);
  assert.equal(run(50), 70);
  const empty = recorded([]);
  empty.schedule.start(0);
  assert.equal(empty.run(0), Number.POSITIVE_INFINITY);
});

test('every due time of every item is either done or counted as missed, however late the runs are', () => {
  const anyLine = fc.record({
    everyMs: fc.integer({ min: 1, max: 50 }),
    count: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(anyLine, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(300)), (shapes, steps) => {
      const lines = shapes.map(({ everyMs, count }, line) => ({
        everyMs,
        items: Array.from({ length: count }, (_, i) => `${line}.${i}`),
      }));
      const { schedule, counts, run } = recorded(lines);
      schedule.start(0);
      let now = 0;
      let next = run(now);
      for (const step of steps) {
        now += step;
        next = run(now);
        assert.ok(next > now, `due at ${next}, but it is ${now}`);
      }
      for (const { everyMs, items } of lines) {
        for (const [i, item] of items.entries()) {
          const { due, missed } = counts.get(item) ?? { due: 0, missed: 0 };
          // Due at start + i * period / n, and then every period; at a standstill the place in the period may shift it by one.
          const exact = (now - (i * everyMs) / items.length) / everyMs + 1;
          assert.ok(
            Math.abs(due + missed - exact) < 1 + 1e-6,
            `${item}: ${due} + ${missed}, expected ${exact}`,
          );
        }
      }
    }),
  );
});

test('ten thousand polls a second are done in their milliseconds', () => {
  const items = Array.from({ length: 1_000 }, (_, i) => `${i}`);
  const { schedule, log, run } = recorded([{ everyMs: 100, items }]);
  schedule.start(0);
  for (let now = 0; now < 1_000; now++) {
    run(now);
    assert.ok(log.splice(0).length <= 10 + 1);
  }
});
