import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TripRule } from '../../sandbox/generation/trip-rule.js';

const LIMITS = { faults: 5, rate: 0.5, slow: 0.5, least: 20, windowMs: 10_000 };

test('it trips with the fifth fault in a row, and any answered frame begins the row anew', () => {
  const rule = new TripRule(LIMITS);
  for (let i = 0; i < 4; i++) assert.equal(rule.fault(0), undefined);
  rule.good(0, 1);
  for (let i = 0; i < 4; i++) assert.equal(rule.fault(0), undefined);
  assert.deepEqual(rule.fault(0), { kind: 'row', faults: 5 });
});

test('it trips when half of at least 20 frames within the window have failed, and not before there are 20', () => {
  const rule = new TripRule(LIMITS);
  for (let frame = 0; frame < 18; frame++) {
    if (frame % 2 === 0) assert.equal(rule.fault(frame), undefined, `frame ${frame}`);
    else rule.good(frame, 1);
  }
  rule.good(18, 1);
  assert.deepEqual(rule.fault(19), { kind: 'rate', faults: 10, frames: 20 });
});

test('what has left the window counts no more', () => {
  const rule = new TripRule(LIMITS);
  for (let i = 0; i < 4; i++) rule.fault(0);
  rule.good(0, 1);
  for (let i = 0; i < 4; i++) rule.fault(0);
  rule.good(10_500, 11);
  // 1 of 12 within the window; with what was before it would be 9 of 21, and soon half.
  for (let i = 0; i < 4; i++) assert.equal(rule.fault(10_600), undefined);
});

test('it trips when half of at least 20 batches were slow, however few frames they had', () => {
  const rule = new TripRule(LIMITS);
  for (let batch = 0; batch < 19; batch++) {
    rule.good(batch, 1);
    assert.equal(rule.batch(batch, batch % 2 === 1), undefined);
  }
  assert.deepEqual(rule.batch(19, true), { kind: 'slow', slow: 10, batches: 20 });
});

test('after a reset nothing of what was before counts', () => {
  const rule = new TripRule(LIMITS);
  for (let i = 0; i < 4; i++) rule.fault(5);
  rule.reset();
  for (let i = 0; i < 4; i++) assert.equal(rule.fault(6), undefined);
});

test('it bears what may follow without a trip, and no fault more in a row', () => {
  const rule = new TripRule(LIMITS);
  assert.equal(rule.bears(0), 4);
  rule.fault(0);
  assert.equal(rule.bears(0), 3);
  rule.good(0, 100);
  assert.equal(rule.bears(0), 4);
  // The row is longer than the rate allows: 9 of at most 19 frames, then half of 20.
  const patient = new TripRule({ ...LIMITS, faults: 1000 });
  assert.equal(patient.bears(0), 9);
  patient.good(0, 30);
  // 29 of 59.
  assert.equal(patient.bears(0), 29);
  assert.equal(patient.bears(20_000), 9);
});

/** Frames that count before the rate does, but for one: the fewest good ones beside which a fault can trip it. */
const FEWEST = LIMITS.least - 1;

test('for any course of events it bears as many faults as it says, whatever comes between, and not one more', () => {
  // 0 is a fault, FEWEST fills up to that, and what else there is are good frames.
  const events = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 60 });
  const between = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 }), fc.constant(FEWEST));
  const next = fc.array(between, { minLength: 40, maxLength: 40 });
  const row = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(row, events, next, (faults, before, goods) => {
      const course = (): { rule: TripRule; good: (frames: number) => void; fault: () => unknown } => {
        const rule = new TripRule({ ...LIMITS, faults });
        let all = 0;
        const good = (frames: number): void => {
          const count = frames === FEWEST ? FEWEST - all : frames;
          if (count > 0) rule.good(0, count);
          all += Math.max(0, count);
        };
        const fault = (): unknown => {
          all++;
          return rule.fault(0);
        };
        for (const event of before)
          if (event > 0) good(event);
          else fault();
        return { rule, good, fault };
      };
      const bears = course().rule.bears(0);
      const mixed = course();
      const bare = course();
      for (let fault = 0; fault < bears; fault++) {
        mixed.good(goods[fault] as number);
        assert.equal(mixed.fault(), undefined, `fault ${fault + 1} of ${bears}, good frames between`);
        assert.equal(bare.fault(), undefined, `fault ${fault + 1} of ${bears}`);
      }
      const filled = course();
      for (let fault = 0; fault < bears; fault++) filled.fault();
      filled.good(FEWEST);
      assert.ok(bare.fault() !== undefined || filled.fault() !== undefined, `one more than ${bears}`);
    }),
  );
});

test('for any course of events it trips exactly where a plain count over the window does', () => {
  const event = fc.record({ after: fc.integer({ min: 0, max: 3000 }), good: fc.integer({ min: 0, max: 6 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), events => {
      const rule = new TripRule({ ...LIMITS, faults: 1000 });
      const past: { step: number; frames: number; fault: boolean }[] = [];
      let now = 0;
      for (const { after, good } of events) {
        now += after;
        const step = Math.floor(now / 1000);
        past.push({ step, frames: Math.max(good, 1), fault: good === 0 });
        const seen = past.filter(one => one.step > step - 10);
        const frames = seen.reduce((sum, one) => sum + one.frames, 0);
        const faults = seen.filter(one => one.fault).length;
        if (good > 0) rule.good(now, good);
        else
          assert.deepEqual(
            rule.fault(now),
            frames >= 20 && faults * 2 >= frames ? { kind: 'rate', faults, frames } : undefined,
          );
      }
    }),
  );
});
