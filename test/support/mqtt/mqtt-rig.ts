import type { MqttSinkConfig } from '../../../host/sinks/mqtt/config.js';
import { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import { NOW, Recorder } from './mqtt-recorder.js';
import { type Behaviour, TestServer } from './mqtt-server.js';

export interface Rig {
  readonly server: TestServer;
  readonly sink: MqttSink;
  /** Ticket and report in one. */
  readonly seen: Recorder;
}

/** Quick to come back, so that tests are. */
export const QUICK = { minMs: 1, maxMs: 4 } as const;

/** A test server and a started sink on it, both gone when `body` ends. */
export async function withServer(
  behaviour: Partial<Behaviour>,
  config: Partial<MqttSinkConfig>,
  body: (rig: Rig) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start();
  Object.assign(server.behaviour, behaviour);
  const seen = new Recorder();
  const sink = new MqttSink(
    'plant',
    { url: `mqtt://127.0.0.1:${server.port}`, reconnect: QUICK, ...config },
    seen,
  );
  await sink.start();
  try {
    await body({ server, sink, seen });
  } finally {
    await sink.stop(NOW);
    await server.stop();
  }
}

/** A port that nothing listens on: one that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = await TestServer.start();
  const { port } = server;
  await server.stop();
  return port;
}
