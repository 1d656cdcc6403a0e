import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../../host/config/load.js';

async function read(tunnel: Record<string, unknown>) {
  const text = JSON.stringify({ sources: { plc: { tunnel } } });
  return await readConfig(text, resolve('/c/sluice.yaml'), { environment: {} });
}

async function texts(tunnel: Record<string, unknown>): Promise<string> {
  try {
    const { warnings } = await read(tunnel);
    return warnings.map(({ text }) => text).join('\n');
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

test('a tunnel listens on this machine alone, on port 9000, unless it is told otherwise', async () => {
  const { config } = await read({});
  assert.deepEqual(config.sources.get('plc')?.tunnel, { host: '127.0.0.1', port: 9000 });
});

test('every setting of a tunnel arrives as a number, and files as absolute names', async () => {
  const { config } = await read({
    host: '0.0.0.0',
    port: 9001,
    tls: { cert: 'c.pem', key: 'k.pem', ca: '/ca.pem' },
    token: 'k3J9_xQ7mB2vN8pR',
    window: 9,
    maxFrame: '64KiB',
    keepAlive: '5s',
    connections: 7,
    connectionsPerPeer: 3,
    rate: 100,
    memory: '1MiB',
  });
  assert.deepEqual(config.sources.get('plc')?.tunnel, {
    host: '0.0.0.0',
    port: 9001,
    tls: { cert: resolve('/c/c.pem'), key: resolve('/c/k.pem'), ca: '/ca.pem' },
    token: 'k3J9_xQ7mB2vN8pR',
    window: 9,
    maxFrame: 65_536,
    keepAliveMs: 5_000,
    connections: 7,
    connectionsPerPeer: 3,
    rate: 100,
    memory: 2 ** 20,
  });
});

test('a tunnel that others reach without a token or a certificate is warned of, and a token in the clear too', async () => {
  assert.match(await texts({ host: '0.0.0.0' }), /whoever reaches this address can send frames/);
  assert.match(await texts({ host: '0.0.0.0', token: 'k3J9_xQ7mB2vN8pR' }), /in the clear/);
  const tls = { cert: 'c.pem', key: 'k.pem', ca: 'ca.pem' };
  assert.doesNotMatch(await texts({ host: '0.0.0.0', tls }), /whoever|clear/);
  assert.doesNotMatch(await texts({}), /whoever|clear/);
});

test('a frame that fits no slab, and a token that is short, are refused', async () => {
  assert.match(await texts({ maxFrame: '100MiB' }), /maxFrame.*is not between/);
  assert.match(await texts({ token: 'short' }), /token of 16 to 255/);
});
