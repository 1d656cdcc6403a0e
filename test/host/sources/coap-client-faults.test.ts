import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { CODE } from '../../../host/protocols/coap/code.js';
import { OPTION, option } from '../../../host/protocols/coap/option.js';
import { emptyMessage, writeMessage } from '../../../host/protocols/coap/write-message.js';
import { type Asked, type AskedDevice, askedScene, etag } from '../../support/sources/asked-device.js';

const ONCE = 60_000;
const block = (number: number, more: boolean, size: number) =>
  blockOption(OPTION.block2, { number, more, size });

test('what comes from another address, under another token or id is left out, and the right answer is taken', async t => {
  const { device, ingress, client } = await askedScene(t, { poll: [{ path: 'v', everyMs: ONCE }] });
  const stranger = createSocket('udp4');
  t.after(() => stranger.close());
  device.onAsk = ask => {
    const { id, token, from } = ask;
    const forged = writeMessage({
      type: 'ack',
      id,
      code: CODE.content,
      token,
      payload: Buffer.from('forged'),
    });
    stranger.send(forged, from.port, '127.0.0.1', () => {
      device.answer(ask, 'wrong token', { token: Buffer.from('12345678') });
      device.answer(ask, 'wrong id', { id: (id + 1) & 0xffff });
      device.raw(ask, emptyMessage('rst', (id + 1) & 0xffff));
      device.raw(ask, Buffer.from('4f450001', 'hex'));
      device.answer(ask, 'right');
    });
  };
  await client.start();
  await ingress.until(() => ingress.frames.length === 1);
  assert.equal(String(ingress.frames[0]?.bytes), 'right');
  const said = ingress.faultsOf('SLUICE_SOURCE_UNASKED');
  assert.equal(said.length, 3);
  for (const [n, why] of [
    /of what 127\.0\.0\.1:\d+ was asked/,
    /no token of ours/,
    /another message/,
  ].entries())
    assert.match(said[n]!, why);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_UNASKED'), 1);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL').length, 1);
});

const LIES: readonly (readonly [
  why: string,
  answer: (device: AskedDevice, ask: Asked) => void,
  code: string,
  said: RegExp,
])[] = [
  [
    'a block number that was not asked for',
    (device, ask) =>
      device.answer(ask, 'x'.repeat(16), { options: [block(ask.block2 === undefined ? 0 : 7, true, 16)] }),
    'SLUICE_SOURCE_PROTOCOL',
    /block 7 of 16 bytes, where byte 16/,
  ],
  [
    'a first block that is not the first',
    (device, ask) => device.answer(ask, 'x'.repeat(16), { options: [block(3, true, 16)] }),
    'SLUICE_SOURCE_PROTOCOL',
    /block 3/,
  ],
  [
    'a block that is shorter than it says',
    (device, ask) => device.answer(ask, 'x', { options: [block(0, true, 64)] }),
    'SLUICE_SOURCE_PROTOCOL',
    /64 bytes with 1 bytes/,
  ],
  [
    'blocks without an end',
    (device, ask) =>
      device.answer(ask, 'x'.repeat(16), { options: [block(ask.block2?.number ?? 0, true, 16)] }),
    'SLUICE_FRAME_TOO_LARGE',
    /more than 100 bytes/,
  ],
  [
    'a representation that changes again and again',
    (device, ask) =>
      device.answer(ask, 'x'.repeat(16), {
        options: [etag(device.asked.length), block(ask.block2?.number ?? 0, true, 16)],
      }),
    'SLUICE_SOURCE_PROTOCOL',
    /changed 4 times/,
  ],
  [
    'a critical option that is not known',
    (device, ask) => device.answer(ask, 'v', { options: [option(9, Buffer.from('x'))] }),
    'SLUICE_SOURCE_PROTOCOL',
    /critical option 9/,
  ],
  [
    'that nothing has changed, before anything was sent,',
    (device, ask) => device.answer(ask, '', { code: CODE.valid, options: [etag(1)] }),
    'SLUICE_SOURCE_PROTOCOL',
    /nothing has changed/,
  ],
  [
    'a reset',
    (device, ask) => device.raw(ask, emptyMessage('rst', ask.id)),
    'SLUICE_SOURCE_REFUSED',
    /answered with a reset/,
  ],
  [
    'an error with words',
    (device, ask) => device.answer(ask, 'no such path', { code: CODE.notFound }),
    'SLUICE_SOURCE_REFUSED',
    /4\.04 "no such path"/,
  ],
  [
    'an error of its own',
    (device, ask) => device.answer(ask, '', { code: 0xa0 }),
    'SLUICE_SOURCE_REFUSED',
    /5\.00/,
  ],
];

for (const [why, lie, code, said] of LIES) {
  test(`${why} is told with ${code}, and the other path is read on`, async t => {
    const { device, ingress, client } = await askedScene(t, {
      poll: ['bad', 'good'].map(path => ({ path, everyMs: ONCE })),
      maxBody: 100,
      inFlight: 2,
    });
    device.onAsk = ask => {
      if (ask.path === 'bad') lie(device, ask);
      else device.answer(ask, 'v');
    };
    client.start();
    await ingress.until(() => ingress.faults.length > 0);
    const [fault] = ingress.faults;
    assert.equal(fault?.code, code);
    assert.match(fault?.message ?? '', said);
    assert.match(fault?.message ?? '', /^meters: 127\.0\.0\.1:\d+: bad /);
    assert.equal(client.state()[0]?.state, 'connected');
    await client.stop();
    assert.ok(ingress.frames.every(({ topic }) => topic === 'meters/good'));
  });
}

test('a request that is not answered is sent again under its id, then told, and the device left alone for a while', async t => {
  const { device, ingress, client } = await askedScene(t, {
    poll: [{ path: 'v', everyMs: 5 }],
    timeoutMs: 100,
    reconnect: { minMs: 50, maxMs: 50 },
  });
  await client.start();
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED') > 0);
  assert.match(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT')[0]!, /v was not answered within 100 ms/);
  assert.equal(client.state()[0]?.state, 'waiting');
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_OVERRUN') > 0);
  const first = device.asked.filter(({ id }) => id === device.asked[0]!.id);
  assert.ok(first.length >= 2, `${first.length}`);
  // And it is asked again by itself, and its late answer to what is over is known as such.
  device.onAsk = ask => {
    device.answer(device.asked[0]!, 'late');
    device.answer(ask, 'v');
  };
  await ingress.until(() => ingress.frames.length > 0);
  assert.equal(String(ingress.frames[0]?.bytes), 'v');
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_TIMEOUT') >= 1);
  assert.equal(ingress.peers.length, 1);
});

test('a name that cannot be looked up is told, and polls are left out meanwhile', async t => {
  const { ingress, client } = await askedScene(t, {
    devices: [{ host: 'nobody.invalid', port: 5683 }],
    poll: [{ path: 'v', everyMs: 10 }],
  });
  await client.start();
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length > 0);
  assert.match(ingress.faults[0]!.message, /name cannot be looked up/);
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED') > 0);
});
