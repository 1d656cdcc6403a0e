import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../host/config/load.js';

function read(coap: Record<string, unknown>) {
  return readConfig(JSON.stringify({ sources: { field: { coap } } }), '/c/sluice.yaml', { environment: {} });
}

test('CoAP listens on this machine alone, on port 5683, unless it is told otherwise', async () => {
  const { config } = await read({});
  assert.deepEqual(config.sources.get('field')?.coap, { host: '127.0.0.1', port: 5683 });
});

test('an address that is neither loopback nor private is refused without an explicit setting, as there is no DTLS', async () => {
  for (const host of ['0.0.0.0', '::', '203.0.113.7', 'plant.example'])
    await assert.rejects(read({ host }), /no DTLS/, host);
  for (const host of ['10.1.2.3', '172.31.0.1', '192.168.0.7', 'fd00::1', '169.254.1.1']) {
    const { warnings } = await read({ host });
    assert.match(warnings.map(({ text }) => text).join(), /has no DTLS/, host);
  }
  const { config } = await read({ host: '0.0.0.0', withoutDtls: true });
  assert.equal(config.sources.get('field')?.coap?.host, '0.0.0.0');
});

test('a share of nothing is refused, and it is said what may be and what is', async () => {
  await assert.rejects(read({ peerShare: 0 }), /peerShare: must be more than 0, but is 0/);
});

test('private addresses are known in each way of writing them, and 0.0.0.0 and multicast are none', async () => {
  for (const host of ['::ffff:10.1.2.3', 'fe80::1', 'fe80::1%eth0', 'FD12::1'])
    assert.match((await read({ host })).warnings.map(({ text }) => text).join(), /has no DTLS/, host);
  for (const host of ['::1', '127.0.0.9', '::ffff:127.0.0.1'])
    assert.deepEqual((await read({ host })).warnings, [], host);
  for (const host of [
    '::ffff:0.0.0.0',
    '::0',
    '0.0.0.0',
    '224.0.1.187',
    'ff02::fd',
    '2001:db8::1',
    '172.32.0.1',
  ])
    await assert.rejects(read({ host }), /no DTLS/, host);
});

test('with devices the source reads them, and what belongs to a server is refused, and the other way round', async () => {
  const { config } = await read({
    devices: [{ host: '10.0.0.7' }, { name: 'two', host: 'meter.example', port: 61616 }],
    poll: [{ path: 'a/b?x=1', every: '10s', accept: 50 }],
    observe: [{ path: 'c' }],
    timeout: '5s',
  });
  assert.deepEqual(config.sources.get('field')?.coapClient, {
    devices: [
      { host: '10.0.0.7', port: 5683 },
      { name: 'two', host: 'meter.example', port: 61616 },
    ],
    poll: [{ path: 'a/b?x=1', accept: 50, everyMs: 10_000 }],
    observe: [{ path: 'c' }],
    timeoutMs: 5_000,
  });
  const far = await read({ devices: [{ host: '203.0.113.7' }], observe: [{ path: 'c' }] });
  assert.match(far.warnings.map(({ text }) => text).join(), /no DTLS/);
  const devices = [{ host: '10.0.0.7' }];
  const observe = [{ path: 'c' }];
  await assert.rejects(read({ devices, observe, rate: 5 }), /goes with a server/);
  await assert.rejects(read({ observe }), /goes with `devices`/);
  await assert.rejects(read({ devices }), /`poll`, `observe` or both/);
  await assert.rejects(read({ devices: [...devices, ...devices], observe }), /stands here twice/);
  await assert.rejects(read({ devices, observe: [{ path: 'a/+' }] }), /gives no topic/);
  await assert.rejects(read({ devices, observe: [{ path: 'a/%zz' }] }), /has a %/);
});
