import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Option } from 'coap-packet';
import fc from 'fast-check';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { Datagrams, udpSocket } from '../../../host/sources/coap/datagrams.js';
import { type Ask, CoapDevice, coapScene } from '../../support/sources/coap-device.js';

test('what cannot be read is reset if it is confirmable and ignored if not, and counted', async t => {
  const { ingress, device } = await coapScene(t);
  const bad = (hex: string): void => device.raw(Buffer.from(hex, 'hex'));
  bad('4902000a00'); // token length 9
  bad('4002000bf0'); // option delta 15
  bad('4002000cff'); // a marker, and no payload
  bad('4002000db5'); // an option that is cut short
  bad('4000000e01'); // an empty message with something in it
  bad('5902000f00'); // the same as the first, not confirmable
  bad('01'); // no header
  bad('80020010'); // version 2
  bad('40450011'); // an answer, and nothing was asked
  device.bare('ping', 99);
  assert.deepEqual(
    await device.answers(7),
    ['10', '11', '12', '13', '14', '17', '99'].map(id => `rst ${id} 0.00`),
  );
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_PROTOCOL'), 9);
  assert.equal(ingress.frames.length, 0);
});

function block1(number: number, size: number): Option {
  return { name: 'Block1', value: Buffer.from(blockOption(0, { number, more: true, size }).value) };
}

const REFUSED: readonly (readonly [why: string, ask: Ask, code: string])[] = [
  ['a method that is none of ours', { code: 'DELETE' }, '4.05'],
  [
    'a critical option that is not known',
    { options: [{ name: 'If-None-Match', value: Buffer.alloc(0) }] },
    '4.02',
  ],
  ['a path that was never put', { code: 'GET', path: 'nothing' }, '4.04'],
  ['a path with a wildcard', { path: 'a/+' }, '4.00'],
  [
    'a block that is not the next',
    {
      options: [block1(3, 16)],
      payload: 'x'.repeat(16),
    },
    '4.08',
  ],
  ['a block that is shorter than it says', { options: [block1(0, 64)], payload: 'x' }, '4.00'],
  ['a body that is too large', { payload: 'x'.repeat(101) }, '4.13'],
];

for (const [why, ask, code] of REFUSED) {
  test(`${why} is answered with ${code}`, async t => {
    const { ingress, device } = await coapScene(t, { maxBody: 100 });
    device.ask({ path: 'somewhere', ...ask });
    assert.deepEqual(await device.answers(1), [`ack 1 ${code}`]);
    assert.equal(ingress.frames.length, 0);
    assert.equal(ingress.faults.length, 1);
  });
}

test('without room, beyond the rate, and without a confirmation the device is told so', async t => {
  const full = await coapScene(t);
  full.ingress.places = 0;
  full.device.ask({});
  assert.deepEqual(await full.device.answers(1), ['ack 1 5.03']);
  assert.equal(full.ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE'), 1);
  const late = await coapScene(t, { timeoutMs: 40, separateMs: 5_000 });
  late.device.ask({});
  await late.ingress.until(() => late.ingress.skipsOf('SLUICE_SOURCE_UNCONFIRMED') === 1);
  assert.deepEqual(await late.device.answers(1), ['ack 1 5.04']);
  const busy = await coapScene(t, { rate: 1 });
  for (const id of [1, 2]) busy.device.ask({ id, non: true });
  await busy.ingress.until(() => busy.ingress.skipsOf('SLUICE_SOURCE_RATE') === 1);
  assert.match(
    busy.ingress.faultsOf('SLUICE_SOURCE_RATE')[0] ?? '',
    /127\.0\.0\.1 got 4\.29: more than 1 requests/,
  );
});

test('an observer for whom there is no place is answered all the same, and it is counted and said', async t => {
  const { ingress, source, device } = await coapScene(t, { observers: 3, peerShare: 0.4 });
  device.ask({ id: 1, code: 'PUT', path: 'v', payload: 'x'.repeat(99) });
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  const observe = (id: number, token: string): void => {
    const options = [{ name: 'Observe' as const, value: Buffer.alloc(0) }];
    device.ask({ code: 'GET', id, path: 'v', token, options });
  };
  observe(2, 'aa');
  await device.answers(3);
  device.bare('ack', device.packets[2]!.messageId);
  observe(3, 'bb');
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_CONNECTIONS') === 1);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS')[0] ?? '',
    /is not told of changes under "v": 1 observations are of this address.*`peerShare` of `observers`/,
  );
  await device.until('both answers', () => device.packets.filter(({ code }) => code === '2.05').length === 2);
});

test('an observer that resets its first answer, or whose place is asked for before it has acknowledged anything, is none', async t => {
  const { ingress, source, device } = await coapScene(t, { observers: 1 });
  const put = async (n: number): Promise<void> => {
    device.ask({ id: n, path: 'v', payload: `v${n}`, non: true });
    await ingress.until(() => ingress.frames.length === n);
    source.delivered(n);
  };
  await put(1);
  const [resets, waits, there] = await Promise.all(
    ['127.0.0.3', '127.0.0.4', '127.0.0.5'].map(address => CoapDevice.open(source.port, address)),
  );
  for (const one of [resets!, waits!, there!]) {
    t.after(() => one.close());
    const options = [{ name: 'Observe' as const, value: Buffer.alloc(0) }];
    one.ask({ code: 'GET', id: 1, path: 'v', options });
    await one.answers(2);
    if (one === resets) one.bare('rst', one.packets[1]!.messageId);
    if (one === there) one.bare('ack', one.packets[1]!.messageId);
  }
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_CONNECTIONS'), 1);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS')[0] ?? '',
    /the observation of 127\.0\.0\.4 under "v", of which nothing was acknowledged, made room/,
  );
  await put(2);
  assert.deepEqual(await there!.answers(3), ['ack 1 0.00', 'con 2.05', 'con 2.05']);
  for (const one of [resets!, waits!]) {
    one.bare('ping', 9);
    assert.equal((await one.answers(3)).at(-1), 'rst 9 0.00');
  }
});

test('a flood beyond the rate does not have requests forgotten that were taken', async t => {
  const { ingress, device, source } = await coapScene(t, { totalRate: 8, remembered: 4 });
  const other = await CoapDevice.open(source.port, '127.0.0.6');
  t.after(() => other.close());
  device.ask({ id: 1, payload: 'once' });
  await ingress.until(() => ingress.frames.length === 1);
  // A quarter of the rate of all is what one address may have.
  for (let id = 1; id <= 20; id++) other.ask({ id, non: true });
  const refused = (): number => ingress.skipsOf('SLUICE_SOURCE_RATE');
  await ingress.until(() => refused() + ingress.frames.length === 21);
  const taken = ingress.frames.length;
  device.ask({ id: 1, payload: 'once' });
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_REPEATED') === 1);
  // Two of the flood, or a few more where it took long.
  assert.equal(ingress.frames.length, taken);
  assert.ok(refused() >= 10 && taken >= 3, `${refused()}, ${taken}`);
});

test('an address that has not shown that it is there gets at most three times what it sent', async t => {
  const { ingress, device, source } = await coapScene(t);
  device.ask({
    id: 1,
    path: 'v',
    non: true,
    payload: 'x'.repeat(900),
    options: [{ name: 'No-Response', value: Buffer.from([2]) }],
  });
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  for (let id = 2; id < 40; id++) device.ask({ code: 'GET', id, path: 'v', token: '', non: true });
  device.bare('ping', 99);
  await device.until('the answer to the ping', () => device.packets.at(-1)?.reset === true);
  // Large blocks at first, as much was sent; then small ones, and at last the question to show itself.
  assert.ok(device.received <= 3 * device.sent, `${device.received} for ${device.sent}`);
  assert.ok(device.packets[0]!.payload.length > 500);
  assert.equal(device.packets.at(-2)!.code, '4.01');
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_AMPLIFICATION') > 0);
});

test('an address that sends back what it was asked to echo gets large answers, and one that makes it up does not', async t => {
  const { ingress, source, device } = await coapScene(t);
  const sender = await CoapDevice.open(source.port);
  t.after(() => sender.close());
  // Another address: what it sends earns the reader nothing.
  const reader = await CoapDevice.open(source.port, '127.0.0.2');
  t.after(() => reader.close());
  sender.ask({ path: 'v', payload: 'x'.repeat(900), non: true });
  await ingress.until(() => ingress.frames.length === 1);
  const get = (id: number, options: Option[] = []): void =>
    reader.ask({ code: 'GET', id, path: 'v', token: '', options });
  get(1);
  assert.deepEqual(await reader.answers(1), ['ack 1 4.01']);
  const echo = reader.packets[0]!.options.find(one => String(one.name) === '252')!.value;
  assert.equal(echo.length, 8);
  get(2, [{ name: 252, value: Buffer.alloc(8) }]);
  await reader.answers(2);
  assert.ok(reader.packets[1]!.payload.length <= 16);
  get(3, [{ name: 252, value: echo }]);
  await reader.answers(3);
  assert.equal(reader.packets[2]!.payload.length, 900);
  assert.ok(device.received === 0);
});

test('a body beyond 64 KiB of an address that has not shown that it is there goes on once it has sent back an echo', async t => {
  const { ingress, device } = await coapScene(t, { maxBody: 1 << 17 });
  const send = (number: number, id: number, options: Option[] = []): void =>
    device.ask({ id, path: 'big', payload: 'x'.repeat(1_024), options: [block1(number, 1_024), ...options] });
  for (let number = 0; number < 64; number++) {
    send(number, number + 1);
    await device.answers(number + 1);
  }
  assert.equal(device.texts()[63], 'ack 64 2.31');
  send(64, 65);
  await device.answers(65);
  assert.equal(device.texts()[64], 'ack 65 4.01');
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_MEMORY'), 1);
  const echo = device.packets[64]!.options.find(one => String(one.name) === '252')!.value;
  send(64, 66, [{ name: 252, value: echo }]);
  await device.answers(66);
  assert.equal(device.texts()[65], 'ack 66 2.31');
});

test('who observes with so few bytes that no answer may be sent is asked to show that it is there, not left without an answer', async t => {
  const { ingress, source } = await coapScene(t);
  const sender = await CoapDevice.open(source.port);
  t.after(() => sender.close());
  const reader = await CoapDevice.open(source.port, '127.0.0.2');
  t.after(() => reader.close());
  sender.ask({ path: 't', payload: 'x'.repeat(100), non: true });
  await ingress.until(() => ingress.frames.length === 1);
  const observe = { name: 'Observe', value: Buffer.alloc(0) } as const;
  reader.ask({ code: 'GET', id: 1, path: 't', options: [observe] });
  assert.deepEqual(await reader.answers(2), ['ack 1 0.00', 'con 4.01']);
  reader.bare('ack', reader.packets[1]!.messageId);
  const echo = reader.packets[1]!.options.find(one => String(one.name) === '252')!.value;
  reader.ask({ code: 'GET', id: 2, path: 't', options: [observe, { name: 252, value: echo }] });
  await reader.answers(3);
  assert.equal(reader.packets[2]!.payload.length, 100);
  sender.ask({ id: 2, path: 't', payload: 'y'.repeat(100), non: true });
  await reader.answers(4);
  assert.equal(reader.texts()[3], 'con 2.05');
});

test('an address that shows nothing gets at most three times its bytes, whatever it asks, repeats and observes', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 5 });
  const attacker = await CoapDevice.open(source.port, '127.0.0.3');
  t.after(() => attacker.close());
  const asks = fc.sample(
    fc.record({
      code: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'DELETE'),
      path: fc.constantFrom('v', 'v', '.well-known/core', 'nothing'),
      // Few, so that many are repeats.
      id: fc.integer({ min: 1, max: 60 }),
      non: fc.boolean(),
      token: fc.constantFrom('', 'tk'),
      options: fc.constantFrom<Option[]>(
        [],
        [{ name: 'Observe', value: Buffer.alloc(0) }],
        [{ name: 'Block2', value: Buffer.from([6]) }],
        [{ name: 'Block2', value: Buffer.from([0x16]) }],
        [{ name: 252, value: Buffer.alloc(8) }],
      ),
    }),
    { numRuns: 150, seed: 7 },
  );
  for (const [n, ask] of asks.entries()) {
    if (n % 10 === 0) device.ask({ id: n, non: true, path: 'v', payload: 'x'.repeat(700 + n) });
    attacker.ask(ask);
    if (n % 7 === 0) attacker.bare('ack', n);
  }
  attacker.bare('ping', 999);
  await attacker.until('the answer to the ping', () => attacker.packets.at(-1)?.messageId === 999);
  await ingress.until(() => ingress.frames.length >= 15);
  device.bare('ping', 998);
  await device.until('an answer', () => device.packets.at(-1)?.messageId === 998);
  assert.ok(attacker.received <= 3 * attacker.sent, `${attacker.received} for ${attacker.sent}`);
  assert.ok(attacker.received > attacker.sent / 2);
});

test('blocks that do not come to an end may use so much memory, and make room for what is new of who has sent back an echo', async t => {
  const { ingress, device } = await coapScene(t, { memory: 3_000 });
  const ask = (id: number, path: string, options: Option[] = []): Promise<string[]> => {
    device.ask({ id, path, options: [block1(0, 1_024), ...options], payload: 'x'.repeat(1_024) });
    return device.answers(id + 1);
  };
  await ask(0, 'a');
  await ask(1, 'b');
  assert.deepEqual(await ask(2, 'c'), ['ack 0 2.31', 'ack 1 2.31', 'ack 2 4.01']);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_MEMORY'), 1);
  const echo = device.packets[2]!.options.find(one => String(one.name) === '252')!.value;
  assert.equal((await ask(3, 'c', [{ name: 252, value: echo }])).at(-1), 'ack 3 2.31');
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_MEMORY'), 2);
});

test('a body in blocks that needs more than the memory is answered with 5.03 and when to come again', async t => {
  const { ingress, device } = await coapScene(t, { memory: 10 });
  const options = [block1(0, 16)];
  device.ask({ path: 'a', options, payload: 'x'.repeat(16) });
  assert.deepEqual(await device.answers(1), ['ack 1 5.03']);
  assert.equal(device.option(0, 'Max-Age'), '01');
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_MEMORY'), 1);
  assert.equal(ingress.skipsOf('SLUICE_FRAME_TOO_LARGE'), 0);
});

test('a datagram from port 0, which nobody has, is left out and counted', async t => {
  const { ingress, device, socket } = await coapScene(t);
  const remote = { address: '127.0.0.1', family: 'IPv4' as const, port: 0, size: 4 };
  for (const hex of ['40000001', '4902000a00']) socket.emit('message', Buffer.from(hex, 'hex'), remote);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_PROTOCOL'), 2);
  assert.equal(ingress.faults.length, 0);
  device.bare('ping', 9);
  assert.deepEqual(await device.answers(1), ['rst 9 0.00']);
});

test('who waits for a confirmation is told when the source closes, and nothing throws after it', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  for (const id of [1, 2, 3]) device.ask({ id });
  await ingress.until(() => ingress.frames.length === 3);
  await source.close();
  assert.deepEqual(await device.answers(3), ['ack 1 5.04', 'ack 2 5.04', 'ack 3 5.04']);
  await source.close();
});

test('a datagram that cannot be sent is refused, not thrown', async t => {
  const socket = udpSocket('127.0.0.1');
  const datagrams = new Datagrams(socket);
  t.after(() => datagrams.close());
  assert.equal(datagrams.send({ address: '127.0.0.1', port: 0 }, Buffer.from('x')), false);
  await datagrams.close();
  assert.equal(datagrams.send({ address: '127.0.0.1', port: 9 }, Buffer.from('x')), false);
});
