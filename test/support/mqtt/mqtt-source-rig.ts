import type { IPublishPacket } from 'mqtt-packet';
import type { MqttSourceConfig } from '../../../host/sources/mqtt/config.js';
import { MqttSource } from '../../../host/sources/mqtt/mqtt-source.js';
import { RecordingIngress } from '../sources/recording-ingress.js';
import { QUICK } from './mqtt-rig.js';
import { type Behaviour, type Connection, TestServer } from './mqtt-server.js';

export interface SourceRig {
  readonly server: TestServer;
  readonly source: MqttSource;
  readonly ingress: RecordingIngress;
  /** The connection that the source subscribed on, once it has. */
  subscribed(): Promise<Connection>;
  /** Payloads of the frames so far. */
  payloads(): string[];
  /** Identifiers acknowledged so far. */
  acknowledged(): number[];
}

/** A test server and a started source on it, both gone when `body` ends. */
export async function withSource(
  behaviour: Partial<Behaviour>,
  config: Partial<MqttSourceConfig>,
  body: (rig: SourceRig) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start();
  Object.assign(server.behaviour, behaviour);
  const ingress = new RecordingIngress();
  const url = `mqtt://127.0.0.1:${server.port}`;
  const source = new MqttSource('floor', { url, topics: ['in/#'], reconnect: QUICK, ...config }, ingress);
  await source.start();
  try {
    await body({
      server,
      source,
      ingress,
      subscribed: async () => {
        await server.until(() => server.subscribes.length > 0 && server.connections.size > 0);
        return [...server.connections].at(-1)!;
      },
      payloads: () => ingress.frames.map(({ bytes }) => bytes.toString()),
      acknowledged: () => server.acknowledged.map(([id]) => id),
    });
  } finally {
    await source.stop();
    await source.close();
    await server.stop();
  }
}

/** A message at QoS 1 whose payload is its identifier. */
export function numberedMessage(id: number, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return {
    cmd: 'publish',
    topic: 'in/t',
    payload: String(id),
    qos: 1,
    dup: false,
    retain: false,
    messageId: id,
    ...more,
  };
}
