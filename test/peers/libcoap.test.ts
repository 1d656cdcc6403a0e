import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CoapConfig } from '../../host/sources/coap/coap-config.js';
import type { CoapClientConfig } from '../../host/sources/coap-client/client-config.js';
import { CoapClient } from '../../host/sources/coap-client/coap-client.js';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { RecordingIngress } from '../support/sources/recording-ingress.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { Program, runProgram } from './program.js';

const CLIENT = '/usr/bin/coap-client-notls';
const SERVER = '/usr/bin/coap-server-notls';

/** A gateway with a CoAP server, a mosquitto behind it, and mosquitto_sub as the witness. */
async function scene(t: TestContext, settings: Partial<CoapConfig> = {}) {
  const folder = await tempFolder(t);
  const broker = await Mosquitto.start(folder);
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const rig = await startGateway(
    t,
    {
      sources: { field: { coap: { port: 0, ...settings } } },
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
  const observer = new Program('/usr/bin/stdbuf', ['-o0', CLIENT, '-s', '300', '-m', 'get', url]);
  t.after(() => observer.stop());
  await observer.said(/first/);
  await runProgram(CLIENT, ['-m', 'put', '-e', 'second', url]);
  await observer.said(/second/);
});

test("libcoap's client that has shown nothing is asked to echo, does so, and reads large blocks", async t => {
  const { folder, url } = await scene(t);
  const [large, read] = [join(folder, 'large'), join(folder, 'read')];
  await writeFile(large, 'x'.repeat(4_000));
  // So short that three times the request has no room for the smallest block.
  const short = url.replace('halle/3', 'v');
  await runProgram(CLIENT, ['-m', 'put', '-f', large, short]);
  // Another address: what was put from the first one earns it nothing.
  const said = await runProgram(CLIENT, ['-v', '7', '-a', '127.0.0.2', '-m', 'get', '-o', read, short]);
  assert.match(said, /c:4\.01 .* Echo:/);
  assert.equal(await readFile(read, 'utf8'), 'x'.repeat(4_000));
});

test("libcoap's client whose first block would displace that of another is asked to echo, does so, and puts its body", async t => {
  const { folder, witness, url } = await scene(t, { bodies: 1 });
  const socket = createSocket('udp4').unref();
  t.after(() => socket.close());
  // CON PUT of block 0 of 16 bytes, more follow, to the path x.
  const block = Buffer.from('40030001b178d10308ff'.padEnd(20 + 32, '61'), 'hex');
  socket.send(block, Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'message');
  const large = join(folder, 'large');
  await writeFile(large, 'x'.repeat(5_000));
  const said = await runProgram(CLIENT, ['-v', '7', '-m', 'put', '-b', '256', '-f', large, url]);
  assert.match(said, /c:4\.01 .* Echo:/);
  await witness.atLeast(1);
  assert.equal(witness.messages[0]!.payload.length, 5_000);
});

/** libcoap's server as the device of a client source. */
async function device(t: TestContext, config: Partial<CoapClientConfig>) {
  const probe = createSocket('udp4');
  probe.bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise<void>(resolve => {
    probe.close(() => resolve());
  });
  const server = new Program('/usr/bin/stdbuf', [
    '-o0',
    SERVER,
    '-d',
    '10',
    '-A',
    '127.0.0.1',
    '-p',
    `${port}`,
  ]);
  t.after(() => server.stop());
  const url = `coap://127.0.0.1:${port}`;
  // It is there when it answers; who asks repeats until then.
  await runProgram(CLIENT, ['-m', 'get', `${url}/`]);
  const ingress = new RecordingIngress();
  const client = new CoapClient(
    'meters',
    { devices: [{ host: '127.0.0.1', port }], poll: [], observe: [], ...config },
    ingress,
  );
  t.after(() => client.stop());
  return { url, ingress, client };
}

test("a path of libcoap's server is read again and again, a large one in blocks", async t => {
  const { url, ingress, client } = await device(t, {
    poll: [
      { path: '/', everyMs: 60_000 },
      { path: 'large', everyMs: 200 },
    ],
  });
  const folder = await tempFolder(t);
  const large = join(folder, 'large');
  await writeFile(large, 'abcdefgh'.repeat(600));
  await runProgram(CLIENT, ['-m', 'put', '-b', '512', '-f', large, `${url}/large`]);
  await client.start();
  const read = (topic: string) => ingress.frames.filter(frame => frame.topic === topic);
  await ingress.until(() => read('meters/large').length >= 2 && read('meters').length === 1);
  assert.equal(String(read('meters/large')[1]?.bytes), 'abcdefgh'.repeat(600));
  assert.match(String(read('meters')[0]?.bytes), /libcoap/);
  assert.deepEqual(ingress.faults, []);
});

test("what is observed at libcoap's server becomes a frame at each change", async t => {
  const { url, ingress, client } = await device(t, { observe: [{ path: 'v' }] });
  await runProgram(CLIENT, ['-m', 'put', '-e', 'one', `${url}/v`]);
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  await runProgram(CLIENT, ['-m', 'put', '-e', 'two', `${url}/v`]);
  await ingress.until(() => ingress.frames.length === 2);
  assert.deepEqual(
    ingress.frames.map(({ topic, bytes }) => `${topic} ${bytes}`),
    ['meters/v one', 'meters/v two'],
  );
  assert.deepEqual(ingress.faults, []);
});
