import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read, SOURCES } from './support.js';

const texts = ({ warnings }: { warnings: readonly { path: string; text: string }[] }): string[] =>
  warnings.map(({ path, text }) => `${path}: ${text}`);

test('the embedded broker listens on loopback, port 1883, unless it is told otherwise', async () => {
  const plain = await read(SOURCES);
  assert.deepEqual(plain.config.broker, { host: '127.0.0.1', port: 1883 });
  const told = await read(`${SOURCES}broker: { host: 127.0.0.2, port: 1884 }\n`);
  assert.deepEqual([told.config.broker, texts(told)], [{ host: '127.0.0.2', port: 1884 }, []]);
});

test('a broker that other machines reach is warned of, as it asks for no password', async () => {
  const loaded = await read(`${SOURCES}broker: { host: 0.0.0.0 }\n`);
  assert.deepEqual(loaded.config.broker, { host: '0.0.0.0', port: 1883 });
  assert.match(texts(loaded).join('\n'), /^broker\.host: whoever reaches this address reads every message/);
});

test('a broker beside sinks is there for devices, and without `broker` there is none', async () => {
  const sinks = 'sinks: { plant: { mqtt: { url: "mqtt://h" } } }';
  const asked = await read(`${SOURCES}${sinks}\nbroker: { port: 1884 }\n`);
  assert.deepEqual([asked.config.bringsBroker, texts(asked)], [true, []]);
  assert.equal((await read(`${SOURCES}${sinks}\n`)).config.bringsBroker, false);
  assert.equal((await read(SOURCES)).config.bringsBroker, true);
});

test('users, a token, limits and certificates of the broker arrive as numbers and absolute names', async () => {
  const { config, warnings } = await read(`${SOURCES}broker:
  { host: 0.0.0.0, users: { plc1: secret }, token: k3J9_xQ7mB2vN8pR, tls: { cert: /c.pem, key: /k.pem },
    connections: 9, connectionsPerPeer: 3, rate: 100, maxPacket: 64KiB, memory: 1MiB }
`);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.broker, {
    host: '0.0.0.0',
    port: 8883,
    users: { plc1: 'secret' },
    token: 'k3J9_xQ7mB2vN8pR',
    tls: { cert: '/c.pem', key: '/k.pem' },
    connections: 9,
    connectionsPerPeer: 3,
    rate: 100,
    maxPacket: 65_536,
    memory: 1_048_576,
  });
});

test('what a broker does not have is said with its place', async () => {
  assert.match((await problemsOf(`${SOURCES}broker: { prot: 1884 }\n`)).join('\n'), /broker\.prot: .*port/);
  assert.match(
    (await problemsOf(`${SOURCES}broker: { port: 65536 }\n`)).join('\n'),
    /broker\.port: must be at most 65535/,
  );
});
