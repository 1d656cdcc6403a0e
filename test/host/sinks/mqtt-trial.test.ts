import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { STRIKES, Trial } from '../../../host/sinks/mqtt/trial.js';

interface Broker {
  /** It hangs up when it gets one of these. */
  readonly poison: ReadonlySet<number>;
  /** It confirms a message when it has got so many behind it, or nothing more comes. */
  readonly behind: number;
  /** Messages on one connection after which it hangs up for reasons of its own; 0: none. */
  readonly moods: readonly number[];
}

interface Outcome {
  readonly confirmed: readonly number[];
  readonly refused: readonly number[];
  readonly connections: number;
}

/** A sink with `count` messages on a broker, without sockets: whose turn it is, and what becomes of it. */
function run(count: number, quota: number, { poison, behind, moods }: Broker): Outcome {
  const trial = new Trial(() => {});
  const left = Array.from({ length: count }, (_, n) => n);
  const confirmed: number[] = [];
  const refused: number[] = [];
  let connections = 0;
  while (left.length > 0 && connections < 10_000) {
    const mood = moods[connections] ?? 0;
    connections += 1;
    let may = trial.begin(quota, 0);
    let sent = 0;
    let got = 0;
    const open: number[] = [];
    for (let up = true; up && left.length > 0; ) {
      const next = left[sent];
      if (may > 0 && next !== undefined) {
        may -= 1;
        sent += 1;
        got += 1;
        open.push(next);
        up = !poison.has(next) && got !== mood;
        if (!up) break;
        if (open.length <= behind) continue;
      }
      const done = open.shift();
      assert.notEqual(done, undefined, 'nothing can be sent and nothing is open');
      left.splice(left.indexOf(done as number), 1);
      sent -= 1;
      confirmed.push(done as number);
      may += 1 + trial.confirmed();
      assert.ok(open.length + may <= quota, 'never more than the quota');
    }
    if (left.length === 0) {
      trial.lost(undefined, 0);
      break;
    }
    const guilty = trial.lost({ firstSent: open[0] ?? -1, onWire: open.length }, 0);
    if (guilty >= 0) {
      left.splice(left.indexOf(guilty), 1);
      refused.push(guilty);
    }
  }
  return { confirmed, refused, connections };
}

test('without a hang-up nothing is kept back', () => {
  const trial = new Trial(() => {});
  assert.equal(trial.begin(65_535, 0), 65_535);
  assert.equal(trial.confirmed(), 0);
});

test('exactly the messages that a broker hangs up for are refused, and all others are confirmed in order, whenever it confirms', () => {
  const set = fc.uniqueArray(fc.nat(199), { maxLength: 5 });
  fc.assert(
    fc.property(set, fc.nat(50), fc.integer({ min: 1, max: 100 }), (poison, behind, quota) => {
      const broker = { poison: new Set(poison), behind, moods: [] };
      const { confirmed, refused, connections } = run(200, quota, broker);
      const wanted = [...poison].sort((a, b) => a - b);
      assert.deepEqual(refused, wanted);
      assert.deepEqual(
        confirmed,
        Array.from({ length: 200 }, (_, n) => n).filter(n => !broker.poison.has(n)),
      );
      // One by chance, the halvings, and the strikes.
      assert.ok(connections <= 1 + poison.length * (STRIKES + 8), `${connections}`);
    }),
  );
});

test('a broker that confirms in order is understood at the fourth hang-up', () => {
  const { connections } = run(200, 65_535, { poison: new Set([20]), behind: 0, moods: [] });
  assert.equal(connections, 1 + STRIKES + 1);
});

test('a broker that hangs up for reasons of its own costs no message, unless it does so thrice in a row right after the first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 40 }), fc.nat(5), (moods, behind) => {
      const early = moods.map(mood => mood > 0 && mood <= 1);
      const harsh = early.some((_, n) => early.slice(n, n + STRIKES).filter(Boolean).length === STRIKES);
      fc.pre(!harsh);
      const { confirmed, refused } = run(200, 1000, { poison: new Set(), behind, moods });
      assert.deepEqual(refused, []);
      assert.equal(confirmed.length, 200);
    }),
  );
});

test('a hang-up long after the message went out is not held against it', () => {
  const trial = new Trial(() => {});
  trial.begin(10, 0);
  for (let now = 0; now < 100_000; now += 10_000) {
    assert.equal(trial.lost({ firstSent: 3, onWire: 1 }, now), -1);
    trial.begin(10, now);
  }
});

test('hang-ups while nothing is on its way are nobody’s', () => {
  const trial = new Trial(() => {});
  for (let n = 0; n < 10; n++) {
    assert.equal(trial.begin(10, 0), 10);
    assert.equal(trial.lost({ firstSent: -1, onWire: 0 }, 0), -1);
  }
});

test('a first message that a broker never confirms holds nothing up: after a while the others go', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let more = 0;
  const trial = new Trial(count => {
    more += count;
  });
  trial.begin(10, 0);
  trial.lost({ firstSent: 0, onWire: 5 }, 0);
  assert.equal(trial.begin(10, 0), 1);
  t.mock.timers.tick(1_999);
  assert.equal(more, 0);
  t.mock.timers.tick(1);
  assert.equal(more, 9);
  // And it is over: the next connection begins as any other.
  trial.lost(undefined, 0);
  assert.equal(trial.begin(10, 0), 10);
});
