import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { CutProxy } from '../devices/cut-proxy.js';
import { Waiting } from '../devices/gateway-peers.js';
import { GatewayProcess } from './gateway-process.js';
import { tempFolder } from './gateway-rig.js';

const PREFIX = 'out/';

/** An aedes that counts what is published under `out/`, by its payload. */
export class CountingBroker extends Waiting {
  readonly counts = new Map<string, number>();
  /** Messages that the gateway has acknowledged. */
  acknowledged = 0;
  #isRead = false;
  readonly #server = createServer({ noDelay: true });
  #aedes: Aedes | undefined;

  async start(port = 0): Promise<number> {
    const aedes = await Aedes.createBroker();
    aedes.authorizePublish = (_client, packet, done) => {
      if (packet.topic.startsWith(PREFIX)) {
        const text = packet.payload.toString();
        this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
        this.changed();
      }
      done(null);
    };
    aedes.on('ack', (_packet, client) => {
      if (client?.id === 'floor') this.acknowledged++;
      this.changed();
    });
    aedes.on('subscribe', (_subscriptions, client) => {
      if (client?.id === 'floor') this.#isRead = true;
      this.changed();
    });
    this.#aedes = aedes;
    this.#server.on('connection', socket => aedes.handle(socket));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Until the gateway has subscribed: what is published before is nobody's. */
  read(): Promise<void> {
    return this.until('the subscription of the gateway', () => this.#isRead);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await new Promise<void>(resolve => this.#aedes?.close(() => resolve()));
    await closed;
  }
}

/**
 * Kills a gateway in mid-traffic and starts it again, and looks whether everything arrives.
 * @param away of each kill: its broker is
 */
export async function killRounds(t: TestContext, away: readonly boolean[]): Promise<void> {
  const broker = new CountingBroker();
  const port = await broker.start();
  t.after(() => broker.stop());
  const line = await CutProxy.start(port);
  t.after(() => line.stop());
  const reconnect = { min: '20ms', max: '50ms' };
  const common = { version: 4, qos: 1, reconnect } as const;
  const gateway = await GatewayProcess.prepare(
    await tempFolder(t),
    {
      sources: {
        floor: { mqtt: { url: `mqtt://127.0.0.1:${port}`, topics: ['in/#'], clientId: 'floor', ...common } },
      },
      sinks: { plant: { mqtt: { url: `mqtt://127.0.0.1:${line.port}`, prefix: PREFIX, ...common } } },
      routes: [{ from: 'floor', through: ['stamp'], to: 'plant' }],
    },
    'stamp',
  );
  t.after(() => gateway.kill());
  await gateway.start();
  await broker.read();
  const publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
  t.after(() => publisher.endAsync(true));
  let sent = 0;
  const send = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () => publisher.publishAsync('in/x', String(sent++), { qos: 1 })),
    );
  for (const isAway of away) {
    if (isAway) line.cut();
    // Some of it is through or on the disk when the kill comes, the rest anywhere.
    const before = sent;
    await send(100);
    if (isAway) await gateway.spools(50);
    else await broker.until('some of the round', () => broker.counts.size >= before + 50);
    await send(100);
    // What has been acknowledged this very moment has to be on the disk.
    if (isAway) await broker.until('all acknowledged', () => broker.acknowledged >= sent);
    await gateway.kill();
    line.mend();
    await gateway.start();
  }
  await broker.until('all of it', () => broker.counts.size >= sent);
  assert.deepEqual(
    [...broker.counts.keys()].map(text => Number(text.slice(7))).sort((a, b) => a - b),
    Array.from({ length: sent }, (_, i) => i),
  );
  assert.equal(await gateway.stop(), 0);
  assert.match(gateway.log, /did not end by itself/);
}
