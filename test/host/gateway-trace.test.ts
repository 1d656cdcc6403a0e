import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeData } from '../../host/protocols/tunnel/encode.js';
import { TunnelPeer } from '../support/devices/tunnel-peer.js';
import { type GatewayRig, startGateway } from '../support/gateway/gateway-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';
import { numberedMessage } from '../support/mqtt/mqtt-source-rig.js';
import { send } from '../support/sources/http-rig.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const NO_TRACE = '0'.repeat(32);
const PARENT = 'b7ad6b7169203331';
const IN_QUARANTINE = { source: 'plc' };
/** Opens at the first fault, and is not tried again for as long as a test takes. */
const AT_ONCE = { faults: 1, pause: { min: '60s', max: '60s' } };

/** A gateway whose plugin traps on frames that begin with 0xEE. */
function trapping(
  t: TestContext,
  breaker: Record<string, unknown> = {},
  route: Record<string, unknown> = {},
  at?: string,
  source: Record<string, unknown> = { tunnel: { port: 0 } },
): Promise<GatewayRig> {
  const config = {
    plugins: { breaker, probation: { frames: 0, for: '0s' } },
    sources: { plc: source },
    routes: [{ name: 'bad', from: 'plc', through: ['trap'], ...route }],
  };
  return startGateway(t, config, ['trap'], at);
}

async function peerOf(t: TestContext, { book }: GatewayRig): Promise<TunnelPeer> {
  const said = await book.said(/listens for tunnels/);
  const peer = await TunnelPeer.welcomed(Number(/:(\d+) listens/.exec(said.msg)?.[1]));
  t.after(() => peer.socket.destroy());
  return peer;
}

/** A frame that the plugin traps on; its second byte says which. */
function poison(sequence: number, trace?: string): Buffer {
  const payload = Buffer.from([0xee, sequence]);
  if (trace === undefined) return encodeData(sequence, { payload });
  return encodeData(sequence, { payload, trace: Buffer.from(`${trace}${PARENT}01`, 'hex') });
}

/** What GET /v1/quarantine shows: of each frame its payload, trace id, and the names of its properties. */
async function quarantined({ gateway, plugins }: GatewayRig): Promise<unknown[][]> {
  const token = (await readFile(join(dirname(plugins), 'data', 'admin-token'), 'utf8')).trim();
  const asked = {
    path: '/v1/quarantine',
    method: 'GET',
    headers: { authorization: `Bearer ${token}` },
  };
  const { frames } = JSON.parse((await send(gateway.adminPort as number, asked, '')).body) as {
    frames: { payload: string; trace?: string; properties: [string, string][] }[];
  };
  return frames.map(({ payload, trace, properties }) => [payload, trace, properties.map(([key]) => key)]);
}

test('a frame of a tunnel that its plugin traps on is in quarantine with the trace id it came with, which no plugin saw', async t => {
  const rig = await trapping(t);
  const peer = await peerOf(t, rig);
  const good = encodeData(1, { payload: Buffer.from('1') });
  peer.socket.write(Buffer.concat([good, poison(2, TRACE), poison(3, NO_TRACE), poison(4)]));
  // It is taken as any other, whatever its trace context is.
  await peer.hears(/ack 4/);
  await rig.reaches(3, 'sluice_frames_quarantined_total', IN_QUARANTINE);
  const properties = ['peer', 'client'];
  assert.deepEqual(await quarantined(rig), [
    ['ee02', TRACE, properties],
    ['ee03', undefined, properties],
    ['ee04', undefined, properties],
  ]);
});

test('its trace id is not lost while it waits on the disk for its plugin, also where the gateway is started again', async t => {
  const first = await trapping(t, AT_ONCE);
  const peer = await peerOf(t, first);
  peer.socket.write(poison(1, TRACE));
  await first.book.line('SLUICE_BREAKER_OPEN', { opening: '1' });
  const waiting = TRACE.replace('0af', '1bf');
  peer.socket.write(Buffer.concat([poison(2, waiting), poison(3)]));
  await peer.hears(/ack 3/);
  assert.equal((await quarantined(first)).length, 1);
  await first.gateway.stop();
  const rig = await trapping(t, {}, {}, dirname(first.plugins));
  await rig.reaches(2, 'sluice_frames_quarantined_total', IN_QUARANTINE);
  assert.deepEqual(
    (await quarantined(rig)).map(each => each.slice(0, 2)),
    [
      ['ee01', TRACE],
      ['ee02', waiting],
      ['ee03', undefined],
    ],
  );
});

test('a frame that is kept in quarantine as no plugin was asked has its trace id too', async t => {
  const rig = await trapping(t, AT_ONCE, { whenOpen: 'refuse' });
  const peer = await peerOf(t, rig);
  peer.socket.write(poison(1));
  await rig.book.line('SLUICE_BREAKER_OPEN', { opening: '1' });
  peer.socket.write(poison(2, TRACE));
  await peer.hears(/ack 2/);
  assert.deepEqual(
    (await quarantined(rig)).map(each => each.slice(0, 2)),
    [
      ['ee01', undefined],
      ['ee02', TRACE],
    ],
  );
});

/** A source's way to send a frame that the plugin traps on; resolves when it is safe. */
type Poisoner = (number: number, trace: string) => Promise<unknown>;

/** The first of two frames is in quarantine, the second has waited on the disk for another gateway: both have their trace ids. */
async function keepsTraces(
  t: TestContext,
  source: Record<string, unknown>,
  poisonerOf: (rig: GatewayRig) => Promise<Poisoner>,
  properties: readonly string[],
): Promise<void> {
  const first = await trapping(t, AT_ONCE, {}, undefined, source);
  const poisons = await poisonerOf(first);
  await poisons(1, TRACE);
  await first.book.line('SLUICE_BREAKER_OPEN', { opening: '1' });
  const waiting = TRACE.replace('0af', '1bf');
  await poisons(2, waiting);
  assert.equal((await quarantined(first)).length, 1);
  await first.gateway.stop();
  const rig = await trapping(t, {}, {}, dirname(first.plugins), source);
  await rig.reaches(1, 'sluice_frames_quarantined_total', IN_QUARANTINE);
  assert.deepEqual(await quarantined(rig), [
    ['ee01', TRACE, properties],
    ['ee02', waiting, properties],
  ]);
}

test('the trace id of an MQTT message is in quarantine, also where it has waited on the disk, and no property has it', async t => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  const url = `mqtt://127.0.0.1:${server.port}`;
  const source = { mqtt: { url, version: 5, topics: ['in/#'] } };
  const poisonerOf = async (): Promise<Poisoner> => {
    await server.until(() => server.subscribes.length === 1);
    const [connection] = server.connections;
    return async (number, trace) => {
      const userProperties = { traceparent: `00-${trace}-${PARENT}-01`, tracestate: 'x=y', line: '4' };
      const payload = Buffer.from([0xee, number]);
      connection?.send(numberedMessage(number, { payload, properties: { userProperties } }));
      await server.until(() => server.acknowledged.length === number);
    };
  };
  await keepsTraces(t, source, poisonerOf, ['line']);
});

test('the trace id of an HTTP request is in quarantine, also where it has waited on the disk, and no property has it', async t => {
  const poisonerOf = async ({ book }: GatewayRig): Promise<Poisoner> => {
    const port = Number(/:(\d+) takes/.exec((await book.said(/takes POST/)).msg)?.[1]);
    return async (number, trace) => {
      const headers = { traceparent: `00-${trace}-${PARENT}-01`, tracestate: 'x=y' };
      const asked = { path: '/ingest/plc', method: 'POST', headers };
      const { status } = await send(port, asked, Buffer.from([0xee, number]));
      assert.equal(status, 202);
    };
  };
  await keepsTraces(t, { http: { port: 0 } }, poisonerOf, ['peer']);
});
