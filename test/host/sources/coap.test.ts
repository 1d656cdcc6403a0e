import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import type { NamedOption } from 'coap-packet';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { CoapSource } from '../../../host/sources/coap/coap-source.js';
import { CoapDevice, coapScene } from '../../support/sources/coap-device.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

function block(name: 'Block1' | 'Block2', number: number, more: boolean, size: number): NamedOption {
  return { name, value: Buffer.from(blockOption(0, { number, more, size }).value) };
}

test('a confirmable POST is answered with its acknowledgement if its frame is delivered soon', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  device.ask({
    path: 'halle/3',
    payload: '{"a":1}',
    options: [{ name: 'Content-Format', value: Buffer.from([50]) }],
  });
  await ingress.until(() => ingress.frames.length === 1);
  assert.equal(device.packets.length, 0);
  source.delivered(1);
  assert.deepEqual(await device.answers(1), ['ack 1 2.04']);
  assert.equal(String(device.packets[0]?.token), 'tk');
  const [frame] = ingress.frames;
  assert.deepEqual([frame?.topic, String(frame?.bytes)], ['field/halle/3', '{"a":1}']);
  assert.deepEqual(frame?.properties, [
    ['peer', '127.0.0.1'],
    ['content-type', 'application/json'],
  ]);
});

test('if it takes longer the request is acknowledged first, and answered by itself', async t => {
  const { ingress, source, device } = await coapScene(t);
  device.ask({ code: 'PUT', path: 'a' });
  assert.deepEqual(await device.answers(1), ['ack 1 0.00']);
  source.delivered(1);
  assert.deepEqual(await device.answers(2), ['ack 1 0.00', 'con 2.04']);
  device.bare('ack', device.packets[1]!.messageId);
  assert.equal(ingress.frames.length, 1);
});

test('a request that comes again gives no second frame, and the answer again', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  device.ask({ id: 7, payload: 'x' });
  await ingress.until(() => ingress.frames.length === 1);
  device.ask({ id: 7, payload: 'x' });
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_REPEATED') === 1);
  source.delivered(1);
  await device.answers(1);
  device.ask({ id: 7, payload: 'x' });
  assert.deepEqual(await device.answers(2), ['ack 7 2.04', 'ack 7 2.04']);
  const other = await CoapDevice.open(source.port);
  t.after(() => other.close());
  other.ask({ id: 7, payload: 'y' });
  await ingress.until(() => ingress.frames.length === 2);
});

test('a request that wants no acknowledgement is answered without one, or not at all if it says so', async t => {
  const { ingress, source, device } = await coapScene(t);
  device.ask({ id: 1, non: true });
  device.ask({ id: 2, non: true, options: [{ name: 'No-Response', value: Buffer.from([2]) }] });
  device.ask({ id: 3, non: true });
  await ingress.until(() => ingress.frames.length === 3);
  source.delivered(3);
  assert.deepEqual(await device.answers(2), ['non 2.04', 'non 2.04']);
});

test('a body in blocks becomes one frame, and each block is answered', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  const body = 'x'.repeat(32) + 'y'.repeat(9);
  for (const number of [0, 1, 2]) {
    const options = [block('Block1', number, number < 2, 16)];
    device.ask({ id: 10 + number, path: 'big', payload: body.slice(number * 16, number * 16 + 16), options });
    if (number < 2) await device.answers(number + 1);
  }
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  assert.deepEqual(await device.answers(3), ['ack 10 2.31', 'ack 11 2.31', 'ack 12 2.04']);
  assert.deepEqual(
    [0, 1, 2].map(n => device.option(n, 'Block1')),
    ['08', '18', '20'],
  );
  assert.equal(String(ingress.frames[0]?.bytes), body);
});

test('what a path got last can be read, in the blocks that are asked for', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  device.ask({ path: 'v', payload: 'abcdefghijklmnopqrstuvwxyz' });
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  await device.answers(1);
  device.ask({ code: 'GET', id: 2, path: 'v', options: [block('Block2', 0, false, 16)] });
  await device.answers(2);
  device.ask({ code: 'GET', id: 3, path: 'v', options: [block('Block2', 1, false, 16)] });
  await device.answers(3);
  assert.deepEqual(
    device.packets.slice(1).map(({ code, payload }) => [code, String(payload)]),
    [
      ['2.05', 'abcdefghijklmnop'],
      ['2.05', 'qrstuvwxyz'],
    ],
  );
  assert.deepEqual([device.option(1, 'Block2'), device.option(2, 'Block2')], ['08', '10']);
  assert.equal(device.option(1, 'ETag'), device.option(2, 'ETag'));
});

test('who observes a path is told of what is put there, until it resets', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  const sender = await CoapDevice.open(source.port);
  t.after(() => sender.close());
  const put = async (id: number): Promise<void> => {
    sender.ask({ id, path: 'v', payload: `v${id}` });
    await ingress.until(() => ingress.frames.length === id);
  };
  await put(1);
  device.ask({
    code: 'GET',
    id: 1,
    path: 'v',
    token: 'obs',
    options: [{ name: 'Observe', value: Buffer.alloc(0) }],
  });
  await device.answers(2);
  device.bare('ack', device.packets[1]!.messageId);
  await put(2);
  await device.answers(3);
  device.bare('ack', device.packets[2]!.messageId);
  await put(3);
  assert.deepEqual(await device.answers(4), ['ack 1 0.00', 'con 2.05', 'con 2.05', 'con 2.05']);
  assert.deepEqual(
    device.packets.slice(1).map(({ payload }) => String(payload)),
    ['v1', 'v2', 'v3'],
  );
  const numbers = [1, 2, 3].map(n => Number.parseInt(device.option(n, 'Observe') ?? '', 16));
  assert.ok(numbers[0]! < numbers[1]! && numbers[1]! < numbers[2]!, String(numbers));
  device.bare('rst', device.packets[3]!.messageId);
  device.bare('ping', 9);
  await device.answers(5);
  await put(4);
  device.bare('ping', 10);
  assert.deepEqual((await device.answers(6)).slice(4), ['rst 9 0.00', 'rst 10 0.00']);
});

test('/.well-known/core names the paths', async t => {
  const { ingress, device } = await coapScene(t, { separateMs: 60_000 });
  device.ask({ path: 'a/b', non: true, payload: 'x'.repeat(60) });
  await ingress.until(() => ingress.frames.length === 1);
  device.ask({ code: 'GET', id: 2, path: '.well-known/core' });
  await device.answers(1);
  assert.equal(String(device.packets[0]?.payload), '</a/b>;obs');
});

test('a frame that a route sends back is answered "unavailable, come again" in place of 2.04; what is not confirmable has to be kept', async t => {
  const { ingress, source, device } = await coapScene(t, { separateMs: 60_000 });
  device.ask({ id: 1 });
  device.ask({ id: 2 });
  device.ask({ id: 3, non: true });
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual([source.sendBack(2), source.sendBack(3), source.sendBack(9)], [true, false, false]);
  // Nor can it be told who does not want to hear of errors: RFC 7967.
  device.ask({ id: 4, options: [{ name: 'No-Response', value: Buffer.from([16]) }] });
  await ingress.until(() => ingress.frames.length === 4);
  assert.equal(source.sendBack(4), false);
  source.delivered(2);
  assert.deepEqual(await device.answers(2), ['ack 1 2.04', 'ack 2 5.03']);
});

test('a source that finds its port in use can be started again, and takes each request once', async t => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const ingress = new RecordingIngress();
  const source = new CoapSource('field', { host: '127.0.0.1', port }, ingress);
  t.after(() => source.close());
  await assert.rejects(source.start(), { code: 'SLUICE_LISTEN_IN_USE' });
  await new Promise<void>(resolve => socket.close(resolve));
  await source.start();
  const device = await CoapDevice.open(port);
  t.after(() => device.close());
  device.ask({ id: 1 });
  device.bare('ping', 2);
  await device.answers(1);
  assert.deepEqual([ingress.frames.length, ingress.skipsOf('SLUICE_SOURCE_REPEATED')], [1, 0]);
});
