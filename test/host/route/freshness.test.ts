import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceAges } from '../../../host/route/age/device-ages.js';
import { Freshness, type StaleRule } from '../../../host/route/age/freshness.js';
import { Cell } from '../../../host/telemetry/cells.js';
import { withSource } from '../../support/mqtt/mqtt-source-rig.js';

/** A source of which only the age of its data is there, on a clock that the test sets. */
function judged(rule: Partial<StaleRule>, renew?: () => boolean) {
  const said: string[] = [];
  const counted: string[] = [];
  const feed = { lastTurn: 0, isHeldUp: false };
  const age = new Cell();
  const freshness = new Freshness(
    {
      name: 'line1',
      rule: { afterMs: 1_000, fromStart: true, renew: renew !== undefined, ...rule },
      feed,
      source: renew === undefined ? {} : { renew },
      report: { fault: ({ message }) => said.push(message), connected: (_, message) => said.push(message) },
      failed: code => counted.push(code),
      age,
    },
    10_000,
  );
  return { freshness, feed, said, counted, age };
}

test('a source is waiting, live and stale by the age of its data, and each change is said once', () => {
  const { freshness, feed, said, counted, age } = judged({});
  freshness.look(10_900);
  assert.equal(freshness.state, 'waiting');
  feed.lastTurn = 10_950;
  freshness.look(11_900);
  assert.equal(freshness.state, 'live');
  for (const now of [11_950, 12_950, 13_950]) freshness.look(now);
  assert.equal(freshness.state, 'stale');
  assert.equal(age.value, 3);
  assert.deepEqual(counted, ['SLUICE_SOURCE_STALE']);
  feed.lastTurn = 14_000;
  freshness.look(14_001);
  assert.equal(freshness.state, 'live');
  assert.equal(said.length, 2);
  assert.match(said[0]!, /line1 has brought no data for 1 s, and 1 s are the most \(`staleAfter`\)/);
  assert.match(said[1]!, /line1 brings data again/);
});

test('who has not begun to send is not stale where others connect, and is where the gateway asks', () => {
  const listens = judged({ fromStart: false });
  listens.freshness.look(99_999);
  assert.equal(listens.freshness.state, 'waiting');
  const asks = judged({});
  asks.freshness.look(11_000);
  assert.equal(asks.freshness.state, 'stale');
});

test('nothing is held against a source whose routes are full', () => {
  const { freshness, feed } = judged({});
  feed.lastTurn = 10_100;
  feed.isHeldUp = true;
  freshness.look(20_000);
  feed.isHeldUp = false;
  freshness.look(20_900);
  assert.equal(freshness.state, 'live');
  freshness.look(21_000);
  assert.equal(freshness.state, 'stale');
});

test('a connection that brings nothing is made anew, again after pauses that double', () => {
  const at: number[] = [];
  let now = 10_000;
  const { freshness } = judged({}, () => at.push(now) > 0);
  for (; now <= 30_000; now += 100) freshness.look(now);
  assert.deepEqual(at, [11_000, 13_000, 17_000, 25_000]);
});

test('an MQTT source that is renewed says why, connects again and asks for its topics again', async () => {
  await withSource({ sessions: true }, { clientId: 'c' }, async ({ server, source, ingress, subscribed }) => {
    await subscribed();
    assert.equal(source.renew({ code: 'SLUICE_SOURCE_STALE', message: 'no data for 5 s' }), true);
    await server.until(() => server.subscribes.length === 2);
    assert.equal(server.connects.length, 2);
    assert.match(ingress.faultsOf('SLUICE_SOURCE_STALE')[0]!, /no data for 5 s/);
    await source.stop();
    assert.equal(source.renew({ code: 'SLUICE_SOURCE_STALE', message: '' }), false);
  });
});

test('of several devices each is judged for itself: one line names those that are silent, and one those that are back', () => {
  const said: string[] = [];
  const counted: string[] = [];
  const stale = new Cell();
  const last = new Map(Array.from({ length: 8 }, (_, i) => [`plc${i}`, 1] as [string, number]));
  const source = {
    state: () => [...last].map(([name, lastFrame]) => ({ name, state: 'connected' as const, lastFrame })),
  };
  const ages = new DeviceAges(
    {
      name: 'line1',
      rule: { afterMs: 1_000 },
      source,
      report: { fault: ({ message }) => said.push(message), info: message => said.push(message) },
      failed: code => counted.push(code),
      stale,
    },
    0,
  );
  const answers = (now: number, silent: readonly string[]): void => {
    for (const name of last.keys()) if (!silent.includes(name)) last.set(name, now);
    ages.look(now, 0);
  };
  answers(900, ['plc3']);
  answers(1_000, ['plc3']);
  answers(2_000, ['plc3']);
  assert.deepEqual(
    [ages.isStale('plc3'), ages.isStale('plc2'), stale.value, counted],
    [true, false, 1, ['SLUICE_SOURCE_STALE']],
  );
  assert.deepEqual(said, [
    'plc3 of line1 has brought no data for 1 s (`staleAfter`); 1 of the 8 devices of line1 are stale',
  ]);
  ages.look(3_000, 0);
  assert.match(said[1]!, /^plc0, plc1, plc2, plc4, plc5 and 2 more of line1 have brought no data/);
  answers(3_100, ['plc3']);
  assert.match(said[2]!, /and 2 more of line1 bring data again; 1 of its devices are stale still$/);
  // While its routes were full nothing was asked.
  ages.look(9_000, 8_500);
  assert.deepEqual([said.length, stale.value, ages.isStale('plc3')], [4, 0, false]);
});
