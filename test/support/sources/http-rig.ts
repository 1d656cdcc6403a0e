import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { HttpConfig } from '../../../host/sources/http/http-config.js';
import { HttpSource } from '../../../host/sources/http/http-source.js';
import { DEFAULT_POLICY, type Policy } from '../../../runtime/index.js';
import { RecordingIngress } from './recording-ingress.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A started HTTP source on a port of the system's; stopped when the test ends. */
export async function httpScene(
  t: TestContext,
  config: HttpConfig = {},
  policy: { current: Policy } = { current: DEFAULT_POLICY },
) {
  const ingress = new RecordingIngress();
  const listen = { host: '127.0.0.1', port: 0 };
  const source = new HttpSource('plc', { listen, ...config }, ingress, policy);
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  const port = source.port!;
  const post = (
    body: string | Uint8Array,
    headers: Record<string, string> = {},
    path = '/ingest/plc',
    method = 'POST',
  ) =>
    send(
      port,
      { path, method, headers: { 'content-length': `${Buffer.byteLength(body)}`, ...headers } },
      body,
    );
  return { ingress, source, port, post };
}

export function send(
  port: number,
  options: { path: string; method: string; headers: Record<string, string>; localAddress?: string },
  body: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const made = request({ host: '127.0.0.1', port, agent: new Agent(), ...options }, response => {
      let text = '';
      response.on('data', chunk => {
        text += String(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    made.on('error', reject);
    made.end(body);
  });
}

/** Sends bytes as they are, and gives what comes until the end of the connection. */
export async function raw(
  port: number,
  text: string,
  then: (socket: Socket) => void = () => {},
): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let seen = '';
  socket.on('data', chunk => {
    seen += String(chunk);
  });
  socket.on('error', () => {});
  socket.write(text);
  then(socket);
  await new Promise(resolve => socket.once('close', resolve));
  return seen;
}
