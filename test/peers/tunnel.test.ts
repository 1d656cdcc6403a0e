import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeBare, encodeWelcome } from '../../host/protocols/tunnel/encode.js';
import { TYPE } from '../../host/protocols/tunnel/wire.js';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { tunnelVectors } from '../support/sources/tunnel-vectors.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { runProgram } from './program.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const HEADER = join(root, 'host/protocols/tunnel');

async function compile(name: string, folder: string): Promise<string> {
  const out = join(folder, name);
  const source = join(root, 'test/peers', `${name}.cpp`);
  const flags = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
  await runProgram('/usr/bin/g++', [...flags, '-I', HEADER, source, '-o', out]);
  return out;
}

test('the C++ client makes the frames of the vectors, and understands those of the server', async t => {
  const program = await compile('tunnel-vectors', await tempFolder(t));
  const { client, server } = tunnelVectors();
  const more = [
    encodeBare(TYPE.ack, 4),
    encodeWelcome({ taken: 9, window: 1, maxFrame: 99, keepAliveMs: 0 }),
  ];
  const input = [...server.map(({ hex }) => hex), ...more.map(bytes => bytes.toString('hex'))];
  const lines = (await runProgram(program, [], `${input.join('\n')}\n`)).trimEnd().split('\n');
  assert.deepEqual(
    lines.slice(0, client.length),
    client.map(({ hex }) => hex),
  );
  // Acknowledged, kept, ready, bytes to be written: HELLO (45 bytes) and frames 2 to 3, then 4 once 2 is acknowledged.
  assert.deepEqual(
    lines.slice(client.length).map(line => line.trim()),
    [
      '0 4 1 181',
      '2 2 1 68',
      '2 2 1 0',
      '2 2 1 0 the gateway stops',
      '4 0 1 0 the gateway stops',
      'refused: the server took what this end has not',
    ],
  );
});

test('what the C++ client sends arrives once and in order at a mosquitto, however often it loses its connection', async t => {
  const folder = await tempFolder(t);
  const sender = await compile('tunnel-sender', folder);
  const broker = await Mosquitto.start(folder);
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const token = 'k3J9_xQ7mB2vN8pR';
  const rig = await startGateway(
    t,
    {
      sources: { plc: { tunnel: { port: 0, token } } },
      sinks: { plant: mqtt(broker.port, { version: 5 }) },
      routes: [{ from: 'plc', through: ['echo'] }],
    },
    ['echo'],
  );
  const port = /:(\d+) listens/.exec((await rig.book.said(/listens for tunnels/)).msg)?.[1] as string;
  const printed = await runProgram(sender, [port, token, '2000', '150']);
  assert.match(printed, /acknowledged 2000/);
  await witness.atLeast(2000);
  const numbers = witness.messages.map(({ payload }) => payload.readUInt32BE(0));
  assert.deepEqual(
    numbers,
    Array.from({ length: 2000 }, (_, n) => n + 1),
  );
});
