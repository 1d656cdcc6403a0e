import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { CountingPlc } from '../../support/devices/gateway-peers.js';
import { type GatewayRig, modbus, startGateway } from '../../support/gateway/gateway-rig.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, which each test looks into.
  readonly body: any;
}

export interface Asked {
  readonly body?: Uint8Array;
  /** undefined: none */
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
}

export interface AdminRig extends GatewayRig {
  readonly plc: CountingPlc;
  /** In which all others are. */
  readonly folder: string;
  readonly data: string;
  readonly token: string;
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  put(name: string, body: Uint8Array, asked?: Asked): Promise<Answer>;
}

export interface RigConfig {
  readonly plugins?: Record<string, unknown>;
  /** The folder of a gateway before, or one that was made for this one. */
  readonly at?: string;
  /** Beside line1. */
  readonly sources?: Record<string, unknown>;
  readonly routes?: readonly unknown[];
}

/** A gateway with uploads on, one real device, one route through one plugin, and the embedded broker. */
export async function startAdminRig(
  t: TestContext,
  admin: Record<string, unknown> = {},
  files: readonly string[] = ['modbus-json'],
  through = 'modbus-json',
  mark: CountingPlc['mark'] = () => 0,
  { plugins = {}, at, sources = {}, routes }: RigConfig = {},
): Promise<AdminRig> {
  const plc = await CountingPlc.start();
  plc.mark = mark;
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      plugins,
      admin: { port: 0, uploads: true, ...admin },
      sources: { line1: modbus(plc.port), ...sources },
      routes: routes ?? [{ from: 'line1', through: [through] }],
    },
    files,
    at,
  );
  const folder = dirname(rig.plugins);
  const data = join(folder, 'data');
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const ask: AdminRig['ask'] = (method, path, asked = {}) =>
    send(rig.gateway.adminPort as number, method, path, 'token' in asked ? asked : { ...asked, token });
  const put: AdminRig['put'] = (name, body, asked = {}) =>
    ask('PUT', `/v1/plugins/${name}`, {
      ...asked,
      body,
      headers: { 'content-type': 'application/wasm', ...asked.headers },
    });
  return { ...rig, plc, folder, data, token, ask, put };
}

async function send(port: number, method: string, path: string, asked: Asked): Promise<Answer> {
  const { body, token, headers = {} } = asked;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    agent: false,
    headers: { ...authorization, ...length, ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const type = String(response.headers['content-type']);
  return {
    status: response.statusCode ?? 0,
    type,
    headers: response.headers,
    body: type.includes('json') && text !== '' ? JSON.parse(text) : text,
  };
}
