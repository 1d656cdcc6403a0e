import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import { type Broker, startBroker } from '../../host/broker/broker.js';
import type { BrokerConfig } from '../../host/broker/broker-config.js';
import type { BrokerRefusal } from '../../host/broker/door.js';
import { anyClientStream } from '../support/fuzz/broker-fuzz.js';

const LIMITS = {
  host: '127.0.0.1',
  port: 0,
  users: { plc1: 'secret' },
  token: 'k3J9_xQ7mB2vN8pR',
  connectionsPerPeer: 8,
  maxPacket: 100_000,
  memory: 150_000,
  helloMs: 1_000,
  packetMs: 600,
} satisfies BrokerConfig;

let broker: Broker;
const refusals: (readonly [BrokerRefusal, string])[] = [];
const waiting = new Set<() => void>();
const report = {
  refused: (reason: BrokerRefusal, message: string) => {
    refusals.push([reason, message]);
    for (const look of waiting) look();
  },
  renewed: () => {},
  failed: () => {},
};

before(async () => {
  broker = await startBroker(LIMITS, report);
});
after(() => broker.stop());

const connectAs = (clientId: string): Buffer =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId,
    username: 'plc1',
    password: Buffer.from('secret'),
    clean: true,
    keepalive: 0,
  });
const CONNECT = connectAs('x');
const bytes = (...list: number[]): Buffer => Buffer.from(list);

/** Sends these bytes on a connection of its own and waits for its end; a connection that is good still goes through. */
async function ended(parts: readonly Buffer[]): Promise<void> {
  const socket: Socket = connect(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  await closed;
}

/** What is said of the next refusal for this reason. */
function until(reason: BrokerRefusal): Promise<string> {
  return new Promise(resolve => {
    const from = refusals.length;
    const look = (): void => {
      const found = refusals.slice(from).find(([one]) => one === reason);
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found[1]);
    };
    waiting.add(look);
  });
}

const url = (): string => `mqtt://127.0.0.1:${broker.port}`;

async function serves(): Promise<void> {
  const client = await connectAsync(url(), { protocolVersion: 4, username: 'plc1', password: 'secret' });
  await client.publishAsync('a', 'b', { qos: 1 });
  await client.endAsync();
}

test('what comes beyond the rate of the broker is read later, however many messages come at once', async t => {
  const slow = await startBroker({ host: '127.0.0.1', port: 0, totalRate: 200 }, report);
  t.after(() => slow.stop());
  const socket = connect(slow.port, '127.0.0.1');
  socket.write(CONNECT);
  await once(socket, 'data');
  socket.resume();
  const packet = generate({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, retain: false, dup: false });
  const slowed = until('rate');
  const begin = performance.now();
  socket.write(Buffer.concat(Array.from({ length: 240 }, () => packet)));
  // A machine that takes long over these is sent more.
  const more = setInterval(() => socket.write(Buffer.concat(Array.from({ length: 240 }, () => packet))), 200);
  t.after(() => clearInterval(more));
  const said = await slowed;
  clearInterval(more);
  assert.match(said, /`totalRate` \(200\) allows: it is read later/);
  socket.write(generate({ cmd: 'disconnect' }));
  await once(socket, 'close');
  assert.ok(
    performance.now() - begin >= 120,
    `${performance.now() - begin} ms, where 40 more than a second allows take 200`,
  );
});

test('what waits for its turn counts though its client has gone meanwhile, and going away is no refusal', async t => {
  const slow = await startBroker({ host: '127.0.0.1', port: 0, rate: 100 }, report);
  t.after(() => slow.stop());
  const reader = await connectAsync(`mqtt://127.0.0.1:${slow.port}`, { protocolVersion: 4 });
  let count = 0;
  const all = new Promise<void>(resolve => {
    reader.on('message', () => {
      count += 1;
      if (count === 160) resolve();
    });
  });
  await reader.subscribeAsync('a');
  const packet = generate({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, retain: false, dup: false });
  const before = refusals.length;
  const socket = connect(slow.port, '127.0.0.1');
  socket.end(Buffer.concat([CONNECT, ...Array.from({ length: 160 }, () => packet)]));
  socket.resume();
  await all;
  const reasons = new Set(refusals.slice(before).map(([reason]) => reason));
  assert.deepEqual([...reasons], ['rate']);
  await reader.endAsync();
});

test('a client that sends far more than all may together does not keep the others waiting for it', async t => {
  const shared = await startBroker({ host: '127.0.0.1', port: 0, totalRate: 100 }, report);
  t.after(() => shared.stop());
  const greedy = connect(shared.port, '127.0.0.1');
  greedy.write(CONNECT);
  await once(greedy, 'data');
  const packet = generate({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, retain: false, dup: false });
  const slowed = until('rate');
  greedy.write(Buffer.concat(Array.from({ length: 600 }, () => packet)));
  await slowed;
  const begin = performance.now();
  const other = await connectAsync(`mqtt://127.0.0.1:${shared.port}`, { protocolVersion: 4 });
  for (let n = 0; n < 3; n++) await other.publishAsync('b', 'c', { qos: 1 });
  const took = performance.now() - begin;
  assert.ok(took < 4_000, `${took} ms, where 500 that wait take 5,000`);
  await other.endAsync();
  greedy.destroy();
});

const publish = (topic: Buffer, flags = 0x30, rest = Buffer.alloc(0)): Buffer => {
  const size = 2 + topic.length + rest.length;
  const head = size < 128 ? bytes(flags, size) : bytes(flags, (size & 0x7f) | 0x80, size >> 7);
  return Buffer.concat([head, bytes(topic.length >> 8, topic.length & 0xff), topic, rest]);
};
const subscribe = (filter: Buffer): Buffer => publish(filter, 0x82, Buffer.alloc(0));

const BAD: readonly (readonly [what: string, parts: readonly Buffer[], reason: BrokerRefusal])[] = [
  ['a packet before CONNECT', [publish(Buffer.from('a'))], 'protocol'],
  ['a PINGREQ before CONNECT', [bytes(0xc0, 0)], 'protocol'],
  ['type 0', [bytes(0, 0)], 'protocol'],
  ['HTTP', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'protocol'],
  ['a remaining length of five bytes', [bytes(0x10, 0xff, 0xff, 0xff, 0xff, 1)], 'protocol'],
  ['a CONNECT of 256 MiB', [bytes(0x10, 0xff, 0xff, 0xff, 0x7f)], 'too-large'],
  ['a CONNECT of nothing', [bytes(0x10, 0)], 'protocol'],
  ['a CONNECT cut short inside', [bytes(0x10, 4, 0, 4, 0x4d, 0x51)], 'protocol'],
  [
    'a CONNECT of another protocol',
    [bytes(0x10, 12, 0, 4, 0x4d, 0x51, 0x58, 0x58, 4, 2, 0, 0, 0, 0)],
    'protocol',
  ],
  [
    'a CONNECT with the reserved flag',
    [bytes(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 3, 0, 0, 0, 0)],
    'protocol',
  ],
  ['a will at QoS 3', [bytes(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0x1e, 0, 0, 0, 0)], 'protocol'],
  ['a second CONNECT', [CONNECT, CONNECT], 'protocol'],
  ['a message of 256 MiB', [CONNECT, bytes(0x30, 0xff, 0xff, 0xff, 0x7f)], 'too-large'],
  ['a message of more than maxPacket', [CONNECT, bytes(0x30, 0xc0, 0x9a, 0x0c)], 'too-large'],
  ['QoS 3', [CONNECT, bytes(0x36, 5, 0, 1, 0x61, 0, 1)], 'protocol'],
  ['an empty topic', [CONNECT, publish(Buffer.alloc(0))], 'protocol'],
  ['a wildcard in a topic', [CONNECT, publish(Buffer.from('a/#'))], 'protocol'],
  ['a topic of many levels', [CONNECT, publish(Buffer.alloc(10_000, '/'))], 'protocol'],
  ['a topic longer than its packet', [CONNECT, bytes(0x30, 4, 0xff, 0xff, 0x61, 0x61)], 'protocol'],
  ['a SUBSCRIBE without flags', [CONNECT, bytes(0x80, 6, 0, 1, 0, 1, 0x61, 0)], 'protocol'],
  ['a SUBSCRIBE of nothing', [CONNECT, bytes(0x82, 2, 0, 1)], 'protocol'],
  ['a SUBSCRIBE to 65,000 levels', [CONNECT, subscribe(Buffer.alloc(16_000, '/'))], 'protocol'],
  ['silence', [], 'timeout'],
  ['half a CONNECT', [bytes(0x10, 20, 0, 4)], 'timeout'],
  ['half a message', [CONNECT, bytes(0x30, 50, 0, 1, 0x61)], 'timeout'],
  [
    'a wrong password',
    [
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: 'x',
        username: 'plc1',
        password: Buffer.from('no'),
        clean: true,
        keepalive: 0,
      }),
    ],
    'password',
  ],
];

test('what brokers were known to fall over is refused with its reason, and the broker serves on', async () => {
  for (const [what, parts, reason] of BAD) {
    const before = refusals.length;
    await ended(parts);
    const found = refusals.slice(before).map(([one]) => one);
    assert.ok(found.includes(reason), `${what}: ${JSON.stringify(refusals.slice(before))}`);
  }
  await serves();
  assert.equal(broker.clients(), 0);
});

test('nothing of a client is acted upon before it is let in, however much comes with its CONNECT', async () => {
  const reader = await connectAsync(url(), { protocolVersion: 4, username: 'plc1', password: 'secret' });
  const seen: string[] = [];
  reader.on('message', topic => seen.push(topic));
  await reader.subscribeAsync('#');
  const message = (topic: string, bytes = 90_000): Buffer => {
    const payload = Buffer.alloc(bytes, 'x');
    return generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false });
  };
  const stranger = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'stranger',
    username: 'plc1',
    password: Buffer.from('wrong'),
    clean: true,
    keepalive: 0,
  });
  // Nor does anything of it stay: these would use up the memory.
  for (let n = 0; n < 12; n++) await ended([Buffer.concat([stranger, message('forged')])]);
  // What comes with a good one is taken, all of it.
  const many = ['one', 'two', 'three'].map(topic => message(topic));
  await ended([Buffer.concat([CONNECT, ...many, generate({ cmd: 'disconnect' })])]);
  // And of one that is gone by then.
  const hasty = connect(broker.port, '127.0.0.1');
  hasty.end(Buffer.concat([CONNECT, message('four', 9_000), message('five', 9_000)]));
  hasty.resume();
  while (!seen.includes('five')) await new Promise(setImmediate);
  await reader.publishAsync('end', '', { qos: 1 });
  while (!seen.includes('end')) await new Promise(setImmediate);
  assert.deepEqual(seen, ['one', 'two', 'three', 'four', 'five', 'end']);
  await reader.endAsync();
});

test('a token is good with any user name, and a user name without its password is not', async () => {
  const options = { protocolVersion: 4, reconnectPeriod: 0 } as const;
  const client = await connectAsync(url(), { ...options, username: 'anybody', password: LIMITS.token });
  await client.endAsync();
  await assert.rejects(connectAsync(url(), { ...options, username: 'plc1' }), /[Nn]ot authorized|Bad user/i);
});

test('connections of one address and memory for half packets have their ceilings', async () => {
  const sockets = Array.from({ length: 3 }, () => connect(broker.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {});
  const memory = until('memory');
  for (const [index, socket] of sockets.entries()) {
    socket.write(connectAs(`x${index}`));
    socket.write(Buffer.concat([bytes(0x30, 0xf0, 0xb1, 0x05), Buffer.alloc(70_000)]));
  }
  await memory;
  const many = until('connections');
  const more = Array.from({ length: 12 }, () => connect(broker.port, '127.0.0.1'));
  for (const socket of more) socket.on('error', () => {});
  await many;
  for (const socket of [...sockets, ...more]) {
    const closed = socket.closed ? undefined : once(socket, 'close');
    socket.destroy();
    await closed;
  }
  await serves();
});

test('the gauge sees in pieces of any size what it sees in one, holds no bytes, and never throws', () => {
  fc.assert(anyClientStream, { numRuns: 1_000 });
});
