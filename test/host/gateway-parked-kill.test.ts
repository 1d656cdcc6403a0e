import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { GatewayProcess } from '../support/gateway/gateway-process.js';
import { tempFolder, variant } from '../support/gateway/gateway-rig.js';
import { CountingBroker } from '../support/gateway/kill-rounds.js';

test('killed while the breaker of its plugin is open, a gateway has all frames that it acknowledged, and the next file gets them in their order', async t => {
  const broker = new CountingBroker();
  const port = await broker.start();
  t.after(() => broker.stop());
  const folder = await tempFolder(t);
  const common = { url: `mqtt://127.0.0.1:${port}`, version: 4, qos: 1 } as const;
  const gateway = await GatewayProcess.prepare(
    folder,
    {
      plugins: { dir: './plugins', breaker: { faults: 1, pause: { min: '60s', max: '60s' } } },
      sources: { floor: { mqtt: { ...common, topics: ['in/#'], clientId: 'floor' } } },
      sinks: { plant: { mqtt: { ...common, prefix: 'out/' } } },
      routes: [{ from: 'floor', through: ['trap'], to: 'plant' }],
    },
    'trap',
  );
  t.after(() => gateway.kill());
  await gateway.start();
  await broker.read();
  const publisher = await connectAsync(common.url, { protocolVersion: 4 });
  t.after(() => publisher.endAsync(true));
  await publisher.publishAsync('in/x', Buffer.from([0xee]), { qos: 1 });
  await broker.until('the first acknowledged', () => broker.acknowledged >= 1);
  const sent = Array.from({ length: 500 }, (_, index) => `n${index}`);
  await Promise.all(sent.map(text => publisher.publishAsync('in/x', text, { qos: 1 })));
  await broker.until('all acknowledged', () => broker.acknowledged >= 1 + sent.length);
  await gateway.kill();
  assert.equal(gateway.spooled, sent.length);
  const mended = await variant('echo', { name: 'trap', version: '2.0.0' });
  await writeFile(join(folder, 'plugins', 'trap.wasm'), mended);
  await gateway.start();
  await broker.until('all of it', () => broker.counts.size >= sent.length);
  assert.deepEqual([...broker.counts.keys()], sent);
  assert.equal(await gateway.stop(), 0);
  assert.equal(gateway.spooled, 0);
});
