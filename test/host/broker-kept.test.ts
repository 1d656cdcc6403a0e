import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { generate, type ISubackPacket, type Packet, parser } from 'mqtt-packet';
import { startBroker } from '../../host/broker/broker.js';
import type { BrokerConfig } from '../../host/broker/broker-config.js';
import { Publishers } from '../../host/broker/publishers.js';
import { Retained } from '../../host/broker/retained.js';

const HOST = '127.0.0.1';
const KEPT = 65_536;
const LARGE = 'x'.repeat(10_000);

async function scene(t: { after(done: () => Promise<void>): void }, more: Partial<BrokerConfig> = {}) {
  const refusals: string[] = [];
  const broker = await startBroker(
    { host: HOST, port: 0, kept: KEPT, ...more },
    { refused: (reason, text) => refusals.push(`${reason}: ${text}`), renewed: () => {}, failed: () => {} },
  );
  t.after(() => broker.stop());
  const open = (clientId: string, clean = true) =>
    connectAsync(`mqtt://${HOST}:${broker.port}`, {
      protocolVersion: 4,
      clientId,
      clean,
      reconnectPeriod: 0,
    });
  return { broker, refusals, open };
}

test('for a client that is away so much is kept and no more, it is counted and said, and the others are told all', async t => {
  const { refusals, open } = await scene(t);
  const away = await open('away', false);
  await away.subscribeAsync('a/#', { qos: 1 });
  await away.endAsync();
  const [sender, reader] = [await open('sender'), await open('reader')];
  const told = new Promise<void>(resolve => {
    let count = 0;
    reader.on('message', () => {
      count += 1;
      if (count === 6) resolve();
    });
  });
  await reader.subscribeAsync('a/#', { qos: 1 });
  for (let n = 0; n < 5; n++) await sender.publishAsync('a/b', LARGE, { qos: 1 });
  // A quarter of 64 KiB: one of these, and not two.
  assert.equal(refusals.length, 4);
  assert.match(refusals[0]!, /^full: the message under "a\/b" is left out for "away", which is away.*`kept`/);
  const back = await open('away', false);
  const [topic] = await new Promise<[string]>(resolve => back.once('message', topic => resolve([topic])));
  assert.equal(topic, 'a/b');
  await back.publishAsync('c', 'behind the PUBACK', { qos: 1 });
  await back.endAsync();
  // It has taken its one, so there is room again.
  await sender.publishAsync('a/b', LARGE, { qos: 1 });
  await told;
  assert.equal(refusals.length, 4);
  for (const each of [sender, reader]) await each.endAsync();
});

test('of what is retained one client has a quarter; one that takes the place of another, and one that is taken away, cost nothing', async t => {
  const { refusals, open } = await scene(t);
  const [one, other] = [await open('one'), await open('other')];
  const retain = (topic: string, payload: string, by = one) =>
    by.publishAsync(topic, payload, { retain: true, qos: 1 });
  for (let n = 0; n < 20; n++) await retain('same', LARGE);
  assert.deepEqual(refusals, []);
  await retain('one more', LARGE);
  assert.match(
    refusals.join(),
    /^full: the message of "one" under "one more" is passed on, and not retained: .*`kept`.*the quarter that one client/,
  );
  // It stays counted for who has it retained, also when that client is gone, until another takes its place.
  await one.endAsync();
  const again = await open('one');
  await retain('one more', LARGE, again);
  assert.equal(refusals.length, 2);
  await retain('same', 'x', other);
  await retain('one more', LARGE, again);
  assert.equal(refusals.length, 2);
  await retain('one more', '', other);
  await retain('another', LARGE, again);
  assert.equal(refusals.length, 2);
  for (const each of [again, other]) await each.endAsync();
});

test('a sink may retain more than a quarter, and not who has the name of one that goes to another broker', async t => {
  const { broker, refusals, open } = await scene(t);
  const plant = await open('plant');
  const retain = (topic: string) => plant.publishAsync(topic, LARGE, { retain: true, qos: 1 });
  broker.held.sink('plant', false);
  for (const topic of ['a', 'b']) await retain(topic);
  assert.equal(refusals.length, 1);
  assert.match(refusals[0]!, /^full: the message of "plant" under "b" is passed on, and not retained/);
  broker.held.sink('plant');
  for (const topic of ['b', 'c']) await retain(topic);
  assert.equal(refusals.length, 1);
  await plant.endAsync();
});

test('what all clients have retained has a ceiling of three quarters', async t => {
  const { refusals, open } = await scene(t);
  for (let n = 0; n < 5; n++) {
    const sender = await open(`sender ${n}`);
    await sender.publishAsync(`t${n}`, LARGE, { retain: true, qos: 1 });
    await sender.endAsync();
  }
  assert.equal(refusals.length, 1);
  assert.match(refusals[0]!, /^full: the message of "sender 4" under "t4" is passed on, and not retained/);
});

test('who publishes at QoS 2 and never ends it is cut off before it has used up the memory, unanswered', async t => {
  const { broker, refusals } = await scene(t);
  const socket = connectTcp(broker.port, HOST);
  let answers = 0;
  // What it sent is not all read.
  socket.on('error', () => {});
  socket.on('data', bytes => {
    answers += bytes.length;
  });
  const hello = {
    cmd: 'connect',
    clientId: 'half',
    clean: false,
    protocolId: 'MQTT',
    protocolVersion: 4,
  } as const;
  socket.write(generate({ ...hello, keepalive: 0 }));
  const message = { cmd: 'publish', topic: 'a', payload: LARGE, qos: 2, dup: false, retain: false } as const;
  for (let messageId = 1; messageId <= 20; messageId++) socket.write(generate({ ...message, messageId }));
  await new Promise(resolve => socket.once('close', resolve));
  assert.ok(answers <= 4 + 6 * 4, `${answers} bytes of answers`);
  assert.match(refusals.join(), /"half"\) was cut off: it published at QoS 2 what cannot be kept.*`kept`/);
});

test('messages at QoS 2 that have got there take no room any more', async t => {
  const { refusals, open } = await scene(t);
  const [reader, sender] = [await open('reader', false), await open('sender')];
  await reader.subscribeAsync('a', { qos: 2 });
  let count = 0;
  const told = new Promise<void>(resolve => {
    reader.on('message', () => {
      count += 1;
      if (count === 5) resolve();
    });
  });
  for (let n = 0; n < 5; n++) {
    await sender.publishAsync('a', LARGE, { qos: 2 });
    // Its PUBCOMP goes before this.
    await reader.publishAsync('b', '', { qos: 1 });
  }
  await told;
  assert.deepEqual(refusals, []);
  for (const each of [sender, reader]) await each.endAsync();
});

test('what nobody fetches leaves room for the sources of the gateway, and a session that is begun anew leaves nothing', async t => {
  const { broker, refusals, open } = await scene(t);
  const names = ['one', 'two', 'three', 'four'];
  for (const name of [...names, 'source']) {
    const away = await open(name, false);
    await away.subscribeAsync('a', { qos: 1 });
    await away.endAsync();
  }
  const sender = await open('sender');
  await sender.publishAsync('a', LARGE, { qos: 1 });
  await sender.publishAsync('a', LARGE.slice(0, 5000), { qos: 1 });
  broker.held.source('source');
  const full = refusals.length;
  assert.ok(full > 0);
  await sender.publishAsync('a', LARGE.slice(0, 5000), { qos: 1 });
  assert.doesNotMatch(refusals.join(), /protocol/);
  for (const name of names) await (await open(name)).endAsync();
  const back = await open('one', false);
  await back.subscribeAsync('a', { qos: 1 });
  await back.endAsync();
  const before = refusals.length;
  await sender.publishAsync('a', LARGE, { qos: 1 });
  assert.equal(refusals.length, before);
  await sender.endAsync();
});

/** What is granted of these filters, in one SUBSCRIBE of a session that stays; the connection is closed behind it. */
async function subscribe(port: number, clientId: string, filters: readonly string[]): Promise<number[]> {
  const socket = connectTcp(port, HOST);
  const packets = parser();
  const granted = new Promise<number[]>(resolve => {
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === 'suback') resolve((packet as ISubackPacket).granted as number[]);
    });
  });
  socket.on('data', bytes => packets.parse(bytes));
  const hello = { cmd: 'connect', clientId, clean: false, protocolId: 'MQTT', protocolVersion: 4 } as const;
  socket.write(generate({ ...hello, keepalive: 0 }));
  const subscriptions = filters.map(topic => ({ topic, qos: 1 as const }));
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
  const found = await granted;
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.end(generate({ cmd: 'disconnect' }));
  await closed;
  return found;
}

test('what clients subscribe to counts too, and one may have a quarter: beyond that the answer is "failure", and it is given back with its session', async t => {
  const { broker, refusals, open } = await scene(t);
  const many = Array.from({ length: 40 }, (_, n) => `a/${n}`);
  const granted = await subscribe(broker.port, 'away', many);
  const most = granted.filter(code => code === 1).length;
  assert.ok(most > 5 && most < 12 && granted.slice(most).every(code => code === 128), granted.join());
  assert.match(
    refusals.join(),
    /^full: 127\.0\.0\.1 \("away"\) is not subscribed to all that it asks for: a quarter .*`kept`/,
  );
  for (const name of ['second', 'third']) assert.deepEqual(await subscribe(broker.port, name, many), granted);
  // What it has is nothing new; another one gets nothing.
  assert.deepEqual(await subscribe(broker.port, 'away', ['a/1']), [1]);
  assert.deepEqual(await subscribe(broker.port, 'other', ['b']), [128]);
  await (await open('away', true)).endAsync();
  assert.deepEqual(await subscribe(broker.port, 'other', ['b']), [1]);
  for (let n = 0; n < 3; n++) {
    const client = await open('clean', true);
    for (let filter = 0; filter < most - 1; filter++) await client.subscribeAsync(`c/${filter}`);
    await client.endAsync();
  }
  assert.equal(refusals.length, 4);
  assert.match(refusals[3]!, /three quarters of what may be kept are used up/);
});

test('wills count as long as their clients are connected: one for which there is no room is turned away, and not published', async t => {
  const { broker, refusals, open } = await scene(t);
  const reader = await open('reader');
  await reader.subscribeAsync('gone');
  const heard: string[] = [];
  reader.on('message', (_topic, payload) => heard.push(payload.toString().slice(0, 5)));
  const withWill = (clientId: string) =>
    connectAsync(`mqtt://${HOST}:${broker.port}`, {
      protocolVersion: 4,
      clientId,
      reconnectPeriod: 0,
      will: { topic: 'gone', payload: Buffer.from(clientId + LARGE), qos: 0, retain: false },
    });
  const inside = [];
  for (const name of ['will1', 'will2', 'will3', 'will4']) inside.push(await withWill(name));
  const beyond = await withWill('will5').then(
    () => assert.fail('it was let in'),
    (thrown: Error) => thrown.message,
  );
  assert.match(beyond, /Server unavailable/i);
  assert.match(
    refusals.join(),
    /^full: 127\.0\.0\.1 \("will5"\) was turned away: there is no room for its will: [^;]+`kept`\)$/,
  );
  inside[0]!.stream.destroy();
  while (heard.length === 0) await new Promise(setImmediate);
  await inside[1]!.endAsync();
  // Two have gone, one with a word and one without.
  inside.push(await withWill('will6'), await withWill('will7'));
  assert.equal(refusals.length, 1);
  assert.deepEqual(heard, ['will1']);
  for (const each of [reader, ...inside.slice(2)]) await each.endAsync();
});

test('what others have sent to a client that was away does not keep it from coming back with its will and publishing at QoS 2', async t => {
  const { broker, refusals, open } = await scene(t);
  const away = await open('away', false);
  await away.subscribeAsync('a', { qos: 1 });
  await away.endAsync();
  const sender = await open('sender');
  await sender.publishAsync('a', 'x'.repeat(16_000), { qos: 1 });
  const socket = connectTcp(broker.port, HOST);
  const packets = parser();
  const ends = new Promise<string>(resolve => {
    packets.on('packet', ({ cmd }: Packet) => {
      // It does not acknowledge what waited for it.
      if (cmd === 'pubrec') resolve(cmd);
    });
    socket.once('close', () => resolve('closed'));
  });
  socket.on('data', bytes => packets.parse(bytes));
  const hello = { cmd: 'connect', clientId: 'away', clean: false, protocolId: 'MQTT' } as const;
  const will = { topic: 'gone', payload: Buffer.from(LARGE), qos: 0, retain: false } as const;
  socket.write(generate({ ...hello, protocolVersion: 4, keepalive: 0, will }));
  const message = { cmd: 'publish', topic: 'b', payload: LARGE, qos: 2, dup: false, retain: false } as const;
  socket.write(generate({ ...message, messageId: 1 }));
  assert.equal(await ends, 'pubrec');
  assert.deepEqual(refusals, []);
  await sender.endAsync();
});

test('where all that may be kept is used up, clients with small wills come in still, and those with large ones do not', async t => {
  const { broker, open } = await scene(t, { connections: 16 });
  for (const n of [1, 2, 3, 4, 5]) {
    const sender = await open(`sender ${n}`);
    await sender.publishAsync(`t${n}`, n < 5 ? LARGE : LARGE.slice(0, 7_700), { retain: true, qos: 1 });
    await sender.endAsync();
  }
  const come = (payload: string) =>
    connectAsync(`mqtt://${HOST}:${broker.port}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      will: { topic: 'gone', payload: Buffer.from(payload), qos: 0, retain: false },
    });
  // An eighth of 64 KiB for 16: 512 bytes, of which 256 are for what it costs beside.
  await (await come('x'.repeat(200))).endAsync();
  await assert.rejects(come('x'.repeat(300)), /Server unavailable/i);
});

test('one client has so many subscriptions and no more, those that were let go again do not count, and 6,000 in one packet hold nobody up', async t => {
  const { broker, open } = await scene(t, { subscriptions: 2, kept: 2 ** 26 });
  assert.deepEqual(await subscribe(broker.port, 'one', ['a', 'b', 'c']), [1, 1, 128]);
  const back = await open('one', false);
  await back.unsubscribeAsync('a');
  await back.endAsync();
  assert.deepEqual(await subscribe(broker.port, 'one', ['c', 'd']), [1, 128]);
  const wide = await startBroker({ host: HOST, port: 0, subscriptions: 30_000 });
  t.after(() => wide.stop());
  const began = performance.now();
  const granted = await subscribe(
    wide.port,
    'many',
    Array.from({ length: 6_000 }, (_, n) => `a${n}`),
  );
  assert.ok(granted.length === 6_000 && granted.every(code => code === 1));
  // Where each is stored with all of them it takes minutes.
  assert.ok(performance.now() - began < 10_000);
});

test('what may be kept holds no more memory than is counted for it; what is passed on at once is not copied', () => {
  const publishers = new Publishers(
    () => '10.0.0.1',
    () => false,
  );
  const chunk = Buffer.alloc(65_536, 'x');
  const note = (qos: number, retain: boolean) => {
    const packet = { topic: 'a', payload: chunk.subarray(10, 20), qos, retain };
    assert.equal(publishers.note(null, packet), undefined);
    assert.equal(String(packet.payload), 'xxxxxxxxxx');
    return packet.payload.buffer.byteLength;
  };
  assert.deepEqual([note(1, false), note(0, true), note(0, false)], [10, 10, 65_536]);
});

test('retained messages are found by name and by filter, and those of the broker itself by no wildcard in front', async () => {
  const retained = new Retained();
  for (const topic of ['a', 'a/b', 'a/b/c', 'd/b', '$own/b'])
    retained.put({ topic, payload: Buffer.from(topic) });
  retained.put({ topic: 'a/b/c', payload: Buffer.alloc(0) });
  const found = async (...filters: string[]): Promise<string[]> => {
    const topics: string[] = [];
    for await (const { topic } of retained.stream(filters)) topics.push(topic);
    return topics;
  };
  assert.deepEqual(await found('a', 'none', 'd/b'), ['a', 'd/b']);
  assert.deepEqual(await found('+/b'), ['a/b', 'd/b']);
  assert.deepEqual(await found('#'), ['a', 'a/b', 'd/b']);
  assert.deepEqual(await found('$own/#', 'a/#'), ['$own/b', 'a', 'a/b']);
});

test('a thousand topics are looked at in a turn of the loop, of all together who ask for what is retained', async () => {
  const retained = new Retained();
  for (let n = 0; n < 2_000; n++) retained.put({ topic: `a/b/${n}`, payload: 'x' });
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const found = await Promise.all(Array.from({ length: 50 }, () => retained.stream(['+/+']).toArray()));
  isOver = true;
  assert.deepEqual(found.flat(), []);
  // 100,000 looks.
  assert.ok(turns >= 90, `${turns} turns`);
});
