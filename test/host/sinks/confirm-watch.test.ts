import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ConfirmWatch } from '../../../host/sinks/mqtt/confirm-watch.js';

const WITHIN_MS = 400;

function watchOf(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sent = { onWire: 0, settled: 0 };
  const told: number[] = [];
  const line = { isSlow: false, asked: [] as (() => void)[] };
  const watch = new ConfirmWatch(sent, WITHIN_MS, {
    ask: read => {
      line.asked.push(read);
      if (!line.isSlow) read();
    },
    silent: count => told.push(count),
  });
  t.after(() => watch.stop());
  watch.begin();
  return { sent, told, line, watch, pass: (ms: number) => t.mock.timers.tick(ms) };
}

test('a broker that confirms nothing of what it was sent is told of once, after its time and a quarter of it at most', t => {
  const { sent, told, pass } = watchOf(t);
  pass(10 * WITHIN_MS);
  sent.onWire = 7;
  pass(WITHIN_MS - 1);
  assert.deepEqual(told, []);
  pass(WITHIN_MS / 4 + 1);
  assert.deepEqual(told, [7]);
  pass(10 * WITHIN_MS);
  assert.deepEqual(told, [7]);
});

test('a broker that is slow, or was sent nothing, is left alone', t => {
  const { sent, told, pass } = watchOf(t);
  sent.onWire = 5;
  for (; sent.onWire > 0; sent.onWire--, sent.settled++) pass(WITHIN_MS - 1);
  pass(10 * WITHIN_MS);
  assert.deepEqual(told, []);
});

test('each connection has all of the time', t => {
  const { sent, told, watch, pass } = watchOf(t);
  sent.onWire = 1;
  pass(WITHIN_MS - 1);
  watch.stop();
  pass(10 * WITHIN_MS);
  watch.begin();
  pass(WITHIN_MS - 1);
  assert.deepEqual(told, []);
  pass(WITHIN_MS / 4 + 1);
  assert.deepEqual(told, [1]);
});

test('a broker that has not read yet what it was sent is left alone until it has, or four times as long', t => {
  const { sent, told, line, watch, pass } = watchOf(t);
  line.isSlow = true;
  sent.onWire = 1;
  pass(3 * WITHIN_MS);
  assert.deepEqual(told, []);
  // It confirmed one while it was asked: its answer says nothing of the next.
  sent.settled = 1;
  pass(WITHIN_MS / 4);
  line.asked[0]!();
  assert.deepEqual(told, []);
  pass(2 * WITHIN_MS);
  line.asked[1]!();
  assert.deepEqual(told, [1]);
  watch.begin();
  sent.settled = 2;
  pass(4 * WITHIN_MS);
  assert.deepEqual(told, [1]);
  pass(WITHIN_MS);
  assert.deepEqual(told, [1, 1]);
});

test('where another connection does not help the next one has twice the time, until something is confirmed', t => {
  const { sent, told, watch, pass } = watchOf(t);
  sent.onWire = 1;
  pass(1.25 * WITHIN_MS);
  watch.begin();
  pass(1.75 * WITHIN_MS);
  assert.equal(told.length, 1);
  pass(WITHIN_MS / 2);
  assert.equal(told.length, 2);
  sent.settled = 1;
  watch.begin();
  pass(1.5 * WITHIN_MS);
  assert.equal(told.length, 3);
});
