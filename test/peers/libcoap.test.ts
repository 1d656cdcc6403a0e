import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mqtt, startGateway, tempFolder } from '../support/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { Program, runProgram } from './program.js';

const CLIENT = '/usr/bin/coap-client-notls';

/** A gateway with a CoAP server, a mosquitto behind it, and mosquitto_sub as the witness. */
async function scene(t: TestContext) {
  const folder = await tempFolder(t);
  const broker = await Mosquitto.start(folder);
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const rig = await startGateway(
    t,
    {
      sources: { field: { coap: { port: 0 } } },
      sinks: { plant: mqtt(broker.port, { version: 5 }) },
      routes: [{ from: 'field', through: ['echo'] }],
    },
    ['echo'],
  );
  const port = /:(\d+) listens/.exec((await rig.book.said(/listens for CoAP/)).msg)?.[1] as string;
  const url = `coap://127.0.0.1:${port}/halle/3`;
  return { folder, witness, rig, url };
}

test("what libcoap's client posts and puts arrives at a mosquitto, confirmable or not, in one piece or in blocks", async t => {
  const { folder, witness, url } = await scene(t);
  await runProgram(CLIENT, ['-m', 'post', '-t', '50', '-e', '{"a":1}', url]);
  await runProgram(CLIENT, ['-N', '-m', 'put', '-e', 'b', url]);
  const large = join(folder, 'large');
  await writeFile(large, 'x'.repeat(5_000));
  await runProgram(CLIENT, ['-m', 'put', '-b', '256', '-f', large, url]);
  await witness.atLeast(3);
  assert.deepEqual(
    witness.messages.map(({ payload }) => (payload.length > 99 ? payload.length : String(payload))),
    ['{"a":1}', 'b', 5_000],
  );
});

test("libcoap's client reads what was put, in blocks, and is told of what is put next", async t => {
  const { folder, url } = await scene(t);
  const large = join(folder, 'large');
  await writeFile(large, 'abcdefgh'.repeat(300));
  await runProgram(CLIENT, ['-m', 'put', '-b', '1024', '-f', large, url]);
  assert.equal((await runProgram(CLIENT, ['-m', 'get', '-b', '64', url])).trim(), 'abcdefgh'.repeat(300));
  assert.equal((await runProgram(CLIENT, ['-m', 'get', url])).trim(), 'abcdefgh'.repeat(300));
  await runProgram(CLIENT, ['-m', 'put', '-e', 'first', url]);
  const observer = new Program('/usr/bin/stdbuf', ['-o0', CLIENT, '-s', '30', '-m', 'get', url]);
  t.after(() => observer.stop());
  await observer.said(/first/);
  await runProgram(CLIENT, ['-m', 'put', '-e', 'second', url]);
  await observer.said(/second/);
});
