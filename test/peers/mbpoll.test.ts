import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPlc } from '../../host/demo/plc.js';
import { runProgram } from './program.js';

const MBPOLL = '/usr/bin/mbpoll';

/** `[address]: value` lines of mbpoll, by address counted from 0. */
function values(printed: string): Map<number, number> {
  return new Map(
    [...printed.matchAll(/^\[(\d+)\]:\s+(-?\d+)/gm)].map(([, at, value]) => [Number(at), Number(value)]),
  );
}

test("mbpoll reads the demo's PLC: its sequence goes on from poll to poll, for each unit by itself", async t => {
  const plc = await startPlc('line1', [1, 2]);
  t.after(() => plc.stop());
  const poll = async (unit: number): Promise<Map<number, number>> =>
    values(
      await runProgram(MBPOLL, [
        ...['-m', 'tcp', '-o', '10', '-p', String(plc.port), '-a', String(unit)],
        ...['-t', '4', '-0', '-r', '0', '-c', '12', '-1', '127.0.0.1'],
      ]),
    );
  const [first, second, other] = [await poll(1), await poll(1), await poll(2)];
  assert.equal(first.size, 12);
  assert.deepEqual([first.get(1), second.get(1), other.get(1)], [1, 2, 1]);
  // Tenths of a degree, hundredths of a bar, turns a minute, in the bounds that plc.ts gives them.
  assert.ok(first.get(2)! >= 165 && first.get(2)! <= 235, `${first.get(2)}`);
  assert.ok(first.get(3)! >= 560 && first.get(3)! <= 640, `${first.get(3)}`);
  assert.ok(first.get(4)! >= 1420 && first.get(4)! <= 1480, `${first.get(4)}`);
  assert.equal(plc.replies, 3);
});
