import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../host/telemetry/log.js';
import { LogLimit } from '../../../host/telemetry/log-limit.js';
import type { Fault } from '../../../runtime/index.js';

const timeout: Fault = { code: 'SLUICE_SOURCE_TIMEOUT', message: 'no answer' };

function limited() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ environment: {}, pretty: false, write: line => lines.push(JSON.parse(line)) });
  const clock = { now: 0 };
  const limit = new LogLimit(log, { everyMs: 10_000, now: () => clock.now });
  return { lines, clock, limit };
}

test('the first failure is logged at once, repeats are held back and counted', () => {
  const { lines, clock, limit } = limited();
  for (let i = 0; i < 100; i++) limit.report(timeout, { source: 'line1' });
  assert.equal(lines.length, 1);
  clock.now = 10_000;
  limit.report(timeout, { source: 'line1' });
  assert.equal(lines.length, 2);
  assert.equal(lines[1]!.held, 99);
  assert.equal(lines[1]!.code, 'SLUICE_SOURCE_TIMEOUT');
});

test('of what somebody tries by hand the first ones are all told, then repeats are held back as ever', () => {
  const { lines, clock, limit } = limited();
  for (let i = 0; i < 5; i++) limit.report(timeout, { file: 'a.wasm' }, 'error', {}, 3);
  assert.deepEqual(
    lines.map(({ held }) => held),
    [undefined, undefined, undefined],
  );
  clock.now = 10_000;
  for (let i = 0; i < 2; i++) limit.report(timeout, { file: 'a.wasm' }, 'error', {}, 3);
  assert.deepEqual(
    lines.slice(3).map(({ held }) => held),
    [2, undefined],
  );
});

test('another code or another place is another failure', () => {
  const { lines, limit } = limited();
  limit.report(timeout, { source: 'line1' });
  limit.report(timeout, { source: 'line2' });
  limit.report({ ...timeout, code: 'SLUICE_SOURCE_PROTOCOL' }, { source: 'line1' });
  assert.deepEqual(
    lines.map(line => [line.source, line.code]),
    [
      ['line1', 'SLUICE_SOURCE_TIMEOUT'],
      ['line2', 'SLUICE_SOURCE_TIMEOUT'],
      ['line1', 'SLUICE_SOURCE_PROTOCOL'],
    ],
  );
});

test('what is held back is told once the pause is over, with its latest words', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, clock, limit } = limited();
  limit.report(timeout, { source: 'line1' });
  for (let i = 1; i <= 3; i++) limit.report({ ...timeout, message: `no answer ${i}` }, { source: 'line1' });
  clock.now = 10_000;
  t.mock.timers.tick(10_000);
  assert.equal(lines.length, 2);
  assert.deepEqual([lines[1]!.msg, lines[1]!.held], ['no answer 3', 2]);
});

test('what is held back of a place is told before the news that its peer is there again', () => {
  const { lines, limit } = limited();
  for (const source of ['line1', 'line2'])
    for (let i = 1; i <= 3; i++) limit.report({ ...timeout, message: `no answer ${i}` }, { source });
  limit.tell({ source: 'line1', peer: '10.0.0.1' });
  assert.deepEqual(
    lines.map(({ source, msg, held }) => [source, msg, held]),
    [
      ['line1', 'no answer 1', undefined],
      ['line2', 'no answer 1', undefined],
      ['line1', 'no answer 3', 1],
    ],
  );
});

test('the end of the program tells what is held back, once', () => {
  const { lines, limit } = limited();
  limit.report(timeout, {});
  limit.report(timeout, {});
  limit.flush();
  limit.flush();
  assert.equal(lines.length, 2);
});

test('the memory for places is bounded', () => {
  const { lines, limit } = limited();
  for (let i = 0; i < 3000; i++) limit.report(timeout, { source: `s${i}` });
  assert.equal(lines.length, 3000);
  limit.report(timeout, { source: 's2999' });
  assert.equal(lines.length, 3000, 'the latest is remembered');
  limit.report(timeout, { source: 's0' });
  assert.equal(lines.length, 3001, 'the oldest is forgotten');
});
