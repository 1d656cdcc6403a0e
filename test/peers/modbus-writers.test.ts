import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { runProgram } from './program.js';

const PYTHON = '/usr/bin/python3';
const WRITER = fileURLToPath(new URL('../../../test/peers/pymodbus-writer.py', import.meta.url));
const MBPOLL = '/usr/bin/mbpoll';

interface Converted {
  readonly unit: number;
  readonly function: number;
  readonly first: number;
  readonly values: (number | boolean)[];
}

/** A gateway on which devices write, a mosquitto behind it, and mosquitto_sub as the witness. */
async function scene(t: TestContext, listen: Record<string, unknown> = {}) {
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const rig = await startGateway(
    t,
    {
      sources: { panel: { modbus: { listen: { port: 0, timeout: '30s', ...listen } } } },
      sinks: { plant: mqtt(broker.port, { version: 5 }) },
      routes: [{ from: 'panel', through: ['modbus-json'] }],
    },
    ['modbus-json'],
  );
  const port = /:(\d+) listens/.exec((await rig.book.said(/listens for devices/)).msg)?.[1] as string;
  const seen = (): [string, number[]][] =>
    witness.messages.map(({ topic, payload }) => {
      const { values } = JSON.parse(payload.toString()) as Converted;
      return [topic, values.map(Number)];
    });
  return { rig, witness, port, seen };
}

test("what pymodbus's client writes arrives value by value, and it understands the answers and exceptions", async t => {
  const { witness, port, seen, rig } = await scene(t, { holding: '0-499' });
  const printed = await runProgram(PYTHON, [WRITER, port]);
  assert.equal(printed.trim(), ['5 ok', '6 ok', '15 ok', '16 ok', '3 1', '6 2'].join('\n'));
  await witness.atLeast(4);
  assert.deepEqual(seen(), [
    ['panel/2/1/3-3', [1]],
    ['panel/2/3/10-10', [4321]],
    ['panel/2/1/0-8', [1, 0, 1, 1, 0, 0, 0, 0, 1]],
    ['panel/2/3/100-222', Array.from({ length: 123 }, (_, n) => n + 1)],
  ]);
  assert.equal(await rig.metric('sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_REQUEST' }), 2);
});

test('what mbpoll writes arrives, single and several, coils and registers', async t => {
  const { witness, port, seen } = await scene(t);
  const write = (...args: string[]): Promise<string> =>
    runProgram(MBPOLL, ['-m', 'tcp', '-o', '10', '-p', port, '-a', '7', '-0', ...args]);
  assert.match(await write('-t', '4', '-r', '20', '127.0.0.1', '1234'), /Written 1 reference/);
  assert.match(await write('-t', '4', '-r', '30', '127.0.0.1', '1', '2', '3'), /Written 3 references/);
  assert.match(await write('-t', '0', '-r', '5', '127.0.0.1', '1'), /Written 1 reference/);
  assert.match(await write('-t', '0', '-r', '8', '127.0.0.1', '1', '0', '1'), /Written 3 references/);
  await witness.atLeast(4);
  assert.deepEqual(seen(), [
    ['panel/7/3/20-20', [1234]],
    ['panel/7/3/30-32', [1, 2, 3]],
    ['panel/7/1/5-5', [1]],
    ['panel/7/1/8-10', [1, 0, 1]],
  ]);
});
