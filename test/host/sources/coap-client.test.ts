import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { CODE } from '../../../host/protocols/coap/code.js';
import { OPTION, option, uintOption } from '../../../host/protocols/coap/option.js';
import { emptyMessage } from '../../../host/protocols/coap/write-message.js';
import { type Asked, askedScene, etag, maxAge, observe } from '../../support/sources/asked-device.js';
import type { RecordingIngress } from '../../support/sources/recording-ingress.js';

const ONCE = 60_000;
const JSON_FORMAT = uintOption(OPTION.contentFormat, 50);

function bodies(ingress: RecordingIngress): string[] {
  return ingress.frames.map(({ bytes }) => String(bytes));
}

test('a path is asked for with its queries, and becomes a frame with peer, path and content type', async t => {
  const { device, ingress, client } = await askedScene(t, {
    poll: [{ path: '/sensors/t%201?unit=C', accept: 50, everyMs: ONCE }],
  });
  device.onAsk = ask => device.answer(ask, '{"t":21}', { options: [JSON_FORMAT] });
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  assert.deepEqual([device.asked[0]?.path, device.asked[0]?.accept], ['sensors/t 1', 50]);
  const [frame] = ingress.frames;
  assert.deepEqual([frame?.topic, String(frame?.bytes)], ['meters/sensors/t 1', '{"t":21}']);
  assert.deepEqual(frame?.properties, [
    ['peer', '127.0.0.1'],
    ['path', '/sensors/t%201?unit=C'],
    ['content-type', 'application/json'],
  ]);
  assert.equal(client.state()[0]?.state, 'connected');
});

test('a large representation is read in blocks, and from the start if it changes meanwhile', async t => {
  const { device, ingress, client } = await askedScene(t, { poll: [{ path: 'log', everyMs: ONCE }] });
  const one = 'a'.repeat(40);
  const other = 'b'.repeat(50);
  device.onAsk = ask => {
    // The second block is already one of the new representation.
    if (device.asked.length === 1) device.answerBlock(ask, one, [etag(1)]);
    else device.answerBlock(ask, other, [etag(2)]);
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  assert.deepEqual(bodies(ingress), [other]);
  assert.deepEqual(
    device.asked.map(({ block2 }) => block2?.number ?? 'all'),
    ['all', 1, 'all', 1, 2, 3],
  );
});

test('a representation that the device says has not changed is a frame again without being sent', async t => {
  const { device, ingress, client } = await askedScene(t, { poll: [{ path: 'v', everyMs: 10 }] });
  device.onAsk = ask => {
    if (ask.etag === undefined) device.answer(ask, 'same', { options: [etag(7), JSON_FORMAT] });
    else device.answer(ask, '', { code: CODE.valid, options: [option(OPTION.etag, ask.etag)] });
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual(bodies(ingress), ['same', 'same', 'same']);
  assert.deepEqual(ingress.frames[2]?.properties[2], ['content-type', 'application/json']);
});

test('an answer that comes by itself is acknowledged, and again when it comes again, and gives one frame', async t => {
  const { device, ingress, client } = await askedScene(t, { poll: [{ path: 'v', everyMs: ONCE }] });
  device.onAsk = ask => {
    device.raw(ask, emptyMessage('ack', ask.id));
    for (let n = 0; n < 2; n++) device.answer(ask, 'late', { type: 'con', id: 77 });
  };
  await client.start();
  await device.until('two acknowledgements', () => device.bare.length === 2);
  assert.deepEqual(device.bare, ['ack 77', 'ack 77']);
  assert.deepEqual(bodies(ingress), ['late']);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_REPEATED'), 1);
});

test('what is observed becomes a frame at each change, in blocks too, and an older one is left out', async t => {
  const { device, ingress, client } = await askedScene(t, { observe: [{ path: 'alarm' }] });
  let first: Asked | undefined;
  const large = 'x'.repeat(20);
  device.onAsk = ask => {
    if (ask.block2 !== undefined) device.answerBlock(ask, large);
    else {
      first = ask;
      device.answer(ask, 'one', { options: [observe(5)] });
    }
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  assert.equal(first?.observe, 0);
  const notify = (id: number, number: number, payload: string): void =>
    device.answer(first!, payload, { type: 'con', id, options: [observe(number)] });
  notify(101, 6, 'two');
  notify(102, 4, 'old');
  notify(103, 6, 'two');
  const block = { number: 0, more: true, size: 16 };
  const head = blockOption(OPTION.block2, block);
  device.answer(first!, large.slice(0, 16), { type: 'non', id: 104, options: [observe(7), head] });
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual(bodies(ingress), ['one', 'two', large]);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_REPEATED'), 2);
  await device.until('acknowledgements', () => device.bare.length === 3);
  assert.deepEqual(device.bare, ['ack 101', 'ack 102', 'ack 103']);
});

test('an observation whose notifications stop is asked for again under its token, and ended at a stop', async t => {
  const { device, ingress, client } = await askedScene(t, {
    observe: [{ path: 'v' }],
    graceMs: 5,
    timeoutMs: 300,
  });
  device.onAsk = ask => {
    if (ask.observe === 0) device.answer(ask, 'v', { options: [observe(device.asked.length), maxAge(0)] });
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 3);
  const [one, two] = device.asked;
  assert.deepEqual(one?.token, two?.token);
  assert.equal(ingress.faults.length, 0);
  await client.stop();
  await device.until('the end of the observation', () => device.asked.at(-1)?.observe === 1);
  assert.deepEqual(device.asked.at(-1)?.token, one?.token);
});

test('a device that ends an observation, or does not observe at all, is said and asked again', async t => {
  const { device, ingress, client } = await askedScene(t, {
    observe: [{ path: 'v' }],
    graceMs: 5,
    timeoutMs: 300,
  });
  device.onAsk = ask => {
    if (device.asked.length === 1) device.answer(ask, 'plain', { options: [maxAge(0)] });
    else if (device.asked.length === 2) {
      device.answer(ask, 'observed', { options: [observe(1)] });
      device.answer(ask, 'gone', { type: 'non', id: 9, code: CODE.notFound });
    } else device.answer(ask, 'again', { options: [observe(1)] });
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual(bodies(ingress), ['plain', 'observed', 'again']);
  const said = ingress.faultsOf('SLUICE_SOURCE_REFUSED');
  assert.match(said[0]!, /v cannot be observed/);
  assert.match(said[1]!, /v is observed no longer: it was answered with 4\.04 "gone"/);
});

test('notifications of an observation that is over are reset, so that the device ends it too', async t => {
  const { device, ingress, client } = await askedScene(t, { observe: [{ path: 'v' }] });
  device.onAsk = ask => {
    device.answer(ask, 'v', { options: [observe(1)] });
    device.answer(ask, 'no more', { type: 'non', id: 8, code: CODE.notFound });
    device.answer(ask, 'but', { type: 'con', id: 9, options: [observe(2)] });
    device.answer(ask, 'still', { type: 'non', id: 10, options: [observe(3)] });
    device.onAsk = () => {};
  };
  await client.start();
  await device.until('resets', () => device.bare.length === 2);
  assert.deepEqual(device.bare, ['rst 9', 'rst 10']);
  assert.deepEqual(bodies(ingress), ['v']);
});

test('what is observed and finds no room waits for it, and the newest takes the place of the one before', async t => {
  const { device, ingress, client } = await askedScene(t, { observe: [{ path: 'v' }] });
  ingress.places = 0;
  device.onAsk = ask => {
    device.answer(ask, 'one', { options: [observe(1)] });
    device.answer(ask, 'two', { type: 'non', id: 9, options: [observe(2)] });
  };
  await client.start();
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE') === 1);
  ingress.places = 10;
  client.resume();
  assert.deepEqual(bodies(ingress), ['two']);
});

test('a device that wants to see that it is answered is sent what it asked to echo', async t => {
  const { device, ingress, client } = await askedScene(t, { poll: [{ path: 'v', everyMs: ONCE }] });
  const secret = Buffer.from('a secret');
  device.onAsk = ask => {
    if (ask.echo?.equals(secret)) device.answer(ask, 'v');
    else device.answer(ask, '', { code: CODE.unauthorized, options: [option(OPTION.echo, secret)] });
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  assert.equal(device.asked.length, 2);
});

test('a notification that what the device was shown is true again brings that back, and not nothing', async t => {
  const { device, ingress, client } = await askedScene(t, { observe: [{ path: 'v' }], graceMs: 5 });
  const valid = (number: number, tag: number, id: number) =>
    ({ type: 'non', id, code: CODE.valid, options: [observe(number), etag(tag)] }) as const;
  device.onAsk = ask => {
    if (ask.etag === undefined) {
      device.answer(ask, 'one', { options: [observe(1), etag(1), maxAge(0)] });
      return;
    }
    // Renewed with the tag of what it had then: RFC 7641, 3.3.1 and 4.3.
    device.answer(ask, 'two', { options: [observe(2), etag(2)] });
    device.answer(ask, '', valid(3, 1, 8));
    device.answer(ask, '', valid(4, 9, 9));
    device.onAsk = () => {};
  };
  await client.start();
  await ingress.until(() => ingress.faults.length === 1 || ingress.frames.length === 4);
  assert.deepEqual(bodies(ingress), ['one', 'two', 'one']);
  assert.match(ingress.faults[0]!.message, /v .*nothing has changed/);
});

test('a notification that comes whole while the blocks of the one before are read takes its place', async t => {
  const { device, ingress, client } = await askedScene(t, { observe: [{ path: 'v' }] });
  const old = 'o'.repeat(40);
  const block = blockOption(OPTION.block2, { number: 0, more: true, size: 16 });
  let first: Asked | undefined;
  device.onAsk = ask => {
    if (ask.block2 === undefined) {
      first = ask;
      device.answer(ask, old.slice(0, 16), { options: [observe(1), block] });
    } else if (ask.block2.number === 1) {
      device.answer(first!, 'new', { type: 'con', id: 9, options: [observe(2)] });
      device.answerBlock(ask, old);
    } else device.answerBlock(ask, old);
  };
  await client.start();
  await device.until('the acknowledgement', () => device.bare.length === 1);
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_REPEATED') === 1);
  assert.deepEqual(bodies(ingress), ['new']);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_OVERRUN'), 1);
});
