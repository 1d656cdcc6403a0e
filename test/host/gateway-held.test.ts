import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { generate, type Packet, parser } from 'mqtt-packet';
import { Waiting } from '../support/devices/gateway-peers.js';
import { mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

/** The address of a device. */
const DEVICE = '127.0.0.2';

/** A device that says what it is told to, packet by packet. */
class RawDevice extends Waiting {
  readonly pubacks: number[] = [];
  readonly socket: Socket;
  #isIn = false;

  constructor(t: TestContext, port: number, clientId: string) {
    super();
    this.socket = connect({ port, host: '127.0.0.1', localAddress: DEVICE });
    t.after(() => this.socket.destroy());
    const packets = parser();
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connack') this.#isIn = true;
      if (packet.cmd === 'puback') this.pubacks.push(packet.messageId as number);
      this.changed();
    });
    this.socket.on('data', bytes => packets.parse(bytes));
    const hello = { cmd: 'connect', clientId, clean: false, protocolId: 'MQTT', protocolVersion: 4 } as const;
    this.socket.write(generate({ ...hello, keepalive: 0 }));
  }

  async isIn(): Promise<this> {
    await this.until('a CONNACK', () => this.#isIn);
    return this;
  }

  publish(topic: string, payload: string, messageId: number, dup = false): void {
    this.socket.write(generate({ cmd: 'publish', topic, payload, messageId, qos: 1, dup, retain: false }));
  }
}

test('the embedded broker acknowledges what a source of its gateway reads when every sink has confirmed it, and passes what comes again meanwhile on once', async t => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  server.behaviour.puback = () => 'none';
  const port = await freePort();
  const rig = await startGateway(
    t,
    {
      broker: { port },
      sources: { floor: mqtt(port, { topics: ['in/#'] }) },
      sinks: { plant: { ...mqtt(server.port, { version: 5 }), spool: false } },
      routes: [{ from: 'floor', through: ['echo'], to: 'plant' }],
    },
    ['echo'],
  );
  await rig.book.said(/127\.0\.0\.1:\d+ answers/);
  const device = await new RawDevice(t, port, 'plc').isIn();
  // Nobody of the gateway is for this: acknowledged at once.
  device.publish('other', 'x', 1);
  await device.until('a PUBACK', () => device.pubacks.length === 1);
  device.publish('in/a', 'one', 2);
  await server.until(() => server.published.length === 1);
  // Its connection is lost, and it sends again what has no answer.
  device.socket.destroy();
  const again = await new RawDevice(t, port, 'plc').isIn();
  again.publish('in/a', 'one', 2, true);
  again.publish('in/a', 'two', 3);
  await server.until(() => server.published.length === 2);
  // This is behind both of them, and not held up.
  again.publish('other', 'y', 4);
  await again.until('a PUBACK', () => again.pubacks.length === 1);
  assert.deepEqual([server.payloads, device.pubacks, again.pubacks], [['one', 'two'], [1], [4]]);
  // Its source takes the marks of the broker off, and the frames say who published them.
  const peers = server.published.map(
    ({ topic, properties }) => `${topic} ${properties?.userProperties?.['peer']}`,
  );
  assert.deepEqual(peers, [`in/a ${DEVICE}`, `in/a ${DEVICE}`]);
  const [connection] = server.connections;
  for (const { messageId } of server.published) connection!.send({ cmd: 'puback', messageId: messageId! });
  await again.until('all of them', () => again.pubacks.length === 3);
  assert.deepEqual(
    [server.payloads, again.pubacks],
    [
      ['one', 'two'],
      [4, 2, 3],
    ],
  );
});
