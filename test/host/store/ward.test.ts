import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Replay } from '../../../host/route/replay.js';
import type { Quarantine } from '../../../host/store/quarantine.js';
import { Ward } from '../../../host/store/ward.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { SluiceError } from '../../../runtime/index.js';
import { LogBook } from '../../support/gateway/gateway-rig.js';

const FRAME = { source: 'floor', topic: 'in/x', timestamp: 0n, payload: new Uint8Array(1), properties: [] };
const NOT_RUN = { code: 'SLUICE_ROUTE_UNSERVED', message: 'the plugin absent is not in the folder' } as const;

test('a frame that waits for room in the quarantine when the gateway ends is neither called gone nor taken for safe', async () => {
  const book = new LogBook();
  const metrics = new Metrics();
  let why = new SluiceError('SLUICE_STORE_FULL', 'it is full');
  let tries = 0;
  const quarantine = {
    put: () => {
      tries++;
      return Promise.reject(why);
    },
  } as Partial<Quarantine> as Quarantine;
  const ward = new Ward({
    quarantine,
    router: { replayOf: () => undefined },
    metrics: metrics.quarantine(),
    report: new Reporter(book.log),
    isolated: () => assert.fail(),
    againMs: 1,
  });
  const poison = { frame: FRAME, route: 'bad', plugin: 'absent', version: '', stage: 0, fault: NOT_RUN };
  let isSafe = false;
  void ward.isolate(poison).then(() => {
    isSafe = true;
  });
  await turn();
  const before = tries;
  ward.stop();
  why = new SluiceError('SLUICE_STORE_FAILED', 'the store is closed');
  while (tries === before) await turn();
  await turn();
  assert.deepEqual([tries - before, isSafe], [1, false]);
  assert.deepEqual(
    book.lines.map(({ msg }) => /waits for room there/.test(msg)),
    [true],
  );
  assert.deepEqual(await metrics.values('sluice_quarantine_dropped_total'), []);
});

test('a frame that waits for room in the quarantine is run, under its own id, as soon as plugins serve its route again', async () => {
  const book = new LogBook();
  let puts = 0;
  const triedAgain = Promise.withResolvers<void>();
  const quarantine = {
    put: () => {
      if (++puts === 2) triedAgain.resolve();
      return Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full'));
    },
  } as Partial<Quarantine> as Quarantine;
  const runs: unknown[] = [];
  let isServed = false;
  const replay = {
    get isServed() {
      return isServed;
    },
    run: async (...given: unknown[]) => {
      runs.push(given);
      return { outcome: 'delivered' };
    },
  } as Partial<Replay> as Replay;
  const ward = new Ward({
    quarantine,
    router: { replayOf: () => replay },
    metrics: new Metrics().quarantine(),
    report: new Reporter(book.log),
    isolated: () => assert.fail(),
    againMs: 1,
  });
  const id = { prefix: Buffer.from('gateway/floor/1-'), sequence: 7 };
  const isSafe = ward.isolate({
    frame: FRAME,
    route: 'bad',
    plugin: 'absent',
    version: '',
    stage: 0,
    fault: NOT_RUN,
    id,
  });
  await Promise.race([triedAgain.promise, isSafe]);
  assert.deepEqual([runs, ward.waiting('bad')], [[], 1]);
  isServed = true;
  await isSafe;
  assert.equal(ward.waiting('bad'), 0);
  assert.deepEqual(runs, [[FRAME, id]]);
});
