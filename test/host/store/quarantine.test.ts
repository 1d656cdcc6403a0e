import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Poison, QUARANTINE_SCHEMA, Quarantine } from '../../../host/store/quarantine.js';
import { Store } from '../../../host/store/store.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

interface Options {
  readonly folder?: string;
  readonly most?: number;
  readonly maxBytes?: number;
}

async function rigOf(t: TestContext, { folder, most, maxBytes = 2 ** 24 }: Options = {}) {
  const path = join(folder ?? (await tempFolder(t)), 'quarantine.db');
  const store = new Store({ fault: fault => assert.fail(fault.message) });
  t.after(() => store.close());
  const database = await store.open({ path, schema: QUARANTINE_SCHEMA, maxBytes });
  const held: number[] = [];
  const dropped: [number, string][] = [];
  const events = {
    held: (count: number) => held.push(count),
    dropped: (count: number, code: string) => dropped.push([count, code]),
  };
  return { store, held, dropped, quarantine: await Quarantine.open(database, events, most) };
}

function poison(number: number, bytes = Buffer.from([0xee, number])): Poison {
  return {
    frame: {
      source: number % 2 === 0 ? 'even' : 'odd',
      topic: `t/${number}`,
      timestamp: 1_700_000_000_123_456_789n,
      payload: bytes,
      properties: [['line', '4']],
    },
    route: 'line1',
    plugin: 'level',
    version: '1.0.0',
    stage: 0,
    fault: { code: 'SLUICE_GUEST_TRAP', message: 'level: unreachable' },
    trace: '0af7651916cd43dd8448eb211c80319c',
  };
}

test('a frame comes back as it went in: every byte, its nanosecond, its properties, and what is known of it', async t => {
  const { quarantine } = await rigOf(t);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const id = await quarantine.put(poison(1, bytes));
  const [back] = await quarantine.list({ id }, 10);
  assert.ok(back !== undefined && Math.abs(back.at - Date.now()) < 60_000);
  const { payload, ...frame } = back.frame;
  assert.deepEqual(Buffer.from(payload), bytes);
  const { payload: _, ...given } = poison(1).frame;
  assert.deepEqual(frame, given);
  const { at: __, frame: ___, ...told } = back;
  const { frame: ____, ...said } = poison(1);
  assert.deepEqual(told, { ...said, id, replays: 0 });
});

test('what is in it is there after a restart, and is counted', async t => {
  const folder = await tempFolder(t);
  const first = await rigOf(t, { folder });
  for (const number of [1, 2, 3]) await first.quarantine.put(poison(number));
  assert.deepEqual(first.held, [0, 1, 2, 3]);
  await first.store.close();
  const second = await rigOf(t, { folder });
  assert.equal(second.quarantine.count, 3);
  assert.equal((await second.quarantine.list({}, 10)).length, 3);
});

test('filters choose, and what follows an id is the next page', async t => {
  const { quarantine } = await rigOf(t);
  for (const number of [1, 2, 3, 4, 5]) await quarantine.put(poison(number));
  const topics = async (...asked: Parameters<typeof quarantine.list>) =>
    (await quarantine.list(...asked)).map(({ frame }) => frame.topic);
  assert.deepEqual(await topics({ source: 'odd' }, 10), ['t/1', 't/3', 't/5']);
  assert.deepEqual(await topics({ source: 'odd', after: 1 }, 1), ['t/3']);
  assert.deepEqual(await topics({ plugin: 'level', code: 'SLUICE_GUEST_DEADLINE' }, 10), []);
  assert.equal(await quarantine.remove({ source: 'even' }), 2);
  assert.equal(quarantine.count, 3);
});

test('beyond the most frames the oldest make room, and each is counted with its reason', async t => {
  const { quarantine, dropped } = await rigOf(t, { most: 3 });
  for (const number of [1, 2, 3, 4, 5]) await quarantine.put(poison(number));
  const left = await quarantine.list({}, 10);
  assert.deepEqual(
    left.map(({ frame }) => frame.topic),
    ['t/3', 't/4', 't/5'],
  );
  assert.deepEqual(dropped, [
    [1, 'SLUICE_QUARANTINE_FULL'],
    [1, 'SLUICE_QUARANTINE_FULL'],
  ]);
});

test('a file that is full gives up its oldest frames, not the newest', async t => {
  const { quarantine, dropped } = await rigOf(t, { maxBytes: 2 ** 19 });
  const large = Buffer.alloc(10_000, 7);
  let last = 0;
  while (dropped.length === 0) last = await quarantine.put(poison(1, large));
  const [newest] = await quarantine.list({ id: last }, 1);
  assert.deepEqual(Buffer.from(newest?.frame.payload ?? []), large);
});

test('a frame that failed again says how, how often, and on which plugin, version and stage', async t => {
  const { quarantine } = await rigOf(t);
  const id = await quarantine.put(poison(1));
  const fault = { code: 'SLUICE_GUEST_DEADLINE', message: 'too long' } as const;
  const told = async () => {
    const [{ replays, plugin, version, stage, fault: last } = assert.fail('it is gone')] =
      await quarantine.list({ id }, 1);
    return [replays, plugin, version, stage, last];
  };
  await quarantine.failedAgain(id, { plugin: 'scale', fault, culprit: { version: '2.0.0', stage: 1 } });
  assert.deepEqual(await told(), [1, 'scale', '2.0.0', 1, fault]);
  await quarantine.failedAgain(id, { plugin: 'scale', fault });
  assert.deepEqual(await told(), [2, 'scale', '2.0.0', 1, fault], 'by nobody in particular');
});
