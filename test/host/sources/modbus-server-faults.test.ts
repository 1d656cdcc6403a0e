import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Client, type ClientHost, MOST_OPEN } from '../../../host/sources/modbus-server/client.js';
import { ModbusServer } from '../../../host/sources/modbus-server/modbus-server.js';
import {
  type ModbusServerConfig,
  serverSettings,
} from '../../../host/sources/modbus-server/server-config.js';
import { register, request, WritingDevice } from '../../support/devices/writing-device.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

async function started(t: TestContext, config: Partial<ModbusServerConfig> = {}) {
  const ingress = new RecordingIngress();
  const source = new ModbusServer('panel', { host: '127.0.0.1', port: 0, ...config }, ingress);
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  const port = Number(source.state()[0]?.name.split(':')[1]);
  const connect = async (): Promise<WritingDevice> => {
    const device = await WritingDevice.connect(port);
    t.after(() => device.socket.destroy());
    return device;
  };
  return { ingress, source, connect };
}

/** The device's next write is taken and answered. */
async function works(device: WritingDevice, ingress: RecordingIngress, source: ModbusServer): Promise<void> {
  const before = device.answers.length;
  const frames = ingress.frames.length;
  device.socket.write(request(77, register(5, 5)));
  await ingress.until(() => ingress.frames.length > frames);
  source.delivered(ingress.frames.length);
  assert.equal((await device.answered(before + 1))[before], '004d00000006010600050005');
}

for (const [what, bytes, text] of [
  ['a wrong protocol id', [0, 1, 0, 9, 0, 6, 1, 6, 0, 0, 0, 0], /protocol id 9 where Modbus has 0/],
  ['a length beyond the protocol', [0, 1, 0, 0, 0, 255, 1, 16], /length 255 outside 2-254/],
  ['a length of 64 KiB', [0, 1, 0, 0, 255, 255, 1, 16], /length 65535 outside 2-254/],
  ['a length below the protocol', [0, 1, 0, 0, 0, 1, 1], /length 1 outside 2-254/],
  ['HTTP', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')], /protocol id 21536 .*header 474554202f20/],
] as const) {
  test(`${what} ends the connection, is said and counted, and concerns nobody else`, async t => {
    const { ingress, source, connect } = await started(t);
    const [bad, good] = [await connect(), await connect()];
    bad.socket.write(Uint8Array.from(bytes));
    await bad.isClosed();
    const [message, ...more] = ingress.faultsOf('SLUICE_SOURCE_PROTOCOL');
    assert.match(message ?? '', text);
    assert.match(message ?? '', /^panel: 127\.0\.0\.1 broke the protocol: .*; connection closed$/);
    assert.deepEqual([more, ingress.faults.length, ingress.faults[0]?.peer], [[], 1, '127.0.0.1']);
    await works(good, ingress, source);
  });
}

test('what was right in front of nonsense is taken', async t => {
  const { ingress, connect } = await started(t);
  const device = await connect();
  device.socket.write(Buffer.concat([request(1, register(1, 1)), Buffer.from([0, 2, 0, 1, 0, 6])]));
  await device.isClosed();
  assert.deepEqual(
    ingress.frames.map(({ topic }) => topic),
    ['panel/1/3/1-1'],
  );
});

test('what is not taken is answered with an exception, said and counted, and the connection goes on', async t => {
  const { ingress, source, connect } = await started(t, {
    units: [1],
    coils: { first: 0, last: 7 },
    holding: { first: 10, last: 19 },
  });
  const device = await connect();
  device.send([3, 0, 0, 0, 1], [16, 0, 10, 0, 124, 248], register(9, 1), [16, 0, 19, 0, 2, 4, 0, 0, 0, 0]);
  device.socket.write(request(5, [15, 0, 0, 0, 9, 2, 0, 0]));
  device.socket.write(request(6, register(10, 1), 2));
  assert.deepEqual(
    (await device.answered(6)).map(answer => answer.slice(12)),
    ['018301', '019003', '018602', '019002', '018f02', '02860a'],
  );
  const said = ingress.faultsOf('SLUICE_SOURCE_REQUEST').join('\n');
  assert.match(said, /got exception 1: unit 1, function 3, function 3 is none of 5, 6, 15, 16/);
  assert.match(
    said,
    /exception 2: unit 1, function 6, addresses 9-9, and `sources\.panel\.modbus\.listen\.holding` has 10-19/,
  );
  assert.match(
    said,
    /exception 10: unit 2, function 6, and `sources\.panel\.modbus\.listen\.units` leaves that unit out/,
  );
  assert.deepEqual([ingress.skipsOf('SLUICE_SOURCE_REQUEST'), ingress.frames.length], [6, 0]);
  device.socket.write(request(7, register(10, 1)));
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  await device.answered(7);
});

test('a request that begins and does not end is given up, however often a byte of it comes', async t => {
  const { ingress, source, connect } = await started(t, { requestMs: 60 });
  const [slow, good] = [await connect(), await connect()];
  const bytes = request(1, [16, 0, 0, 0, 100, 200]);
  let at = 0;
  const drip = setInterval(() => {
    if (!slow.socket.destroyed) slow.socket.write(bytes.subarray(at, at + 1));
    at = Math.min(at + 1, bytes.length - 1);
  }, 10);
  t.after(() => clearInterval(drip));
  await slow.isClosed();
  clearInterval(drip);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_TIMEOUT')[0] ?? '',
    /^panel: 127\.0\.0\.1 sent \d+ bytes of a request and not the rest within 60 ms; connection closed$/,
  );
  await works(good, ingress, source);
});

test('a connection that is silent for too long is closed, and one that waits for an answer is not silent', async t => {
  const { ingress, source, connect } = await started(t, { idleMs: 200, timeoutMs: 60_000 });
  const [silent, waiting] = [await connect(), await connect()];
  waiting.send(register(1, 1));
  await silent.isClosed();
  assert.match(ingress.faultsOf('SLUICE_SOURCE_IDLE')[0] ?? '', /was silent for 0\.2 s; connection closed/);
  assert.equal(waiting.closed, false);
  source.delivered(1);
  await waiting.answered(1);
  await waiting.isClosed();
});

test('with all connections in use the one that was silent longest makes way', async t => {
  const { ingress, source, connect } = await started(t, { connections: 2 });
  const [first, second] = [await connect(), await connect()];
  await works(first, ingress, source);
  const third = await connect();
  await second.isClosed();
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS')[0] ?? '',
    /was silent longest of the 2 that may be connected, and another came; connection closed/,
  );
  await works(third, ingress, source);
  assert.equal(first.closed, false);
});

test('with all connections waiting for answers another is turned away', async t => {
  const { ingress, source, connect } = await started(t, { connections: 1, timeoutMs: 60_000 });
  const first = await connect();
  first.send(register(1, 1));
  await ingress.until(() => ingress.frames.length === 1);
  const second = await connect();
  await second.isClosed();
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS')[0] ?? '',
    /127\.0\.0\.1 was turned away: all 1 connections are in use/,
  );
  source.delivered(1);
  await first.answered(1);
});

test('a device that hangs up in the middle of a request, or of its answers, is said', async t => {
  const { ingress, connect } = await started(t);
  const [half, gone] = [await connect(), await connect()];
  half.socket.end(request(1, register(1, 1)).subarray(0, 8));
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length > 0);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')[0] ?? '',
    /closed the connection in the middle of a request, after 8 bytes/,
  );
  gone.send(register(1, 1));
  await ingress.until(() => ingress.frames.length === 1);
  gone.socket.resetAndDestroy();
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_UNCONFIRMED').length > 0);
});

test('a device that does not take its answers is read no further, until it does', () => {
  let take: (() => void) | undefined;
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      take = done;
    },
    writableHighWaterMark: 64,
  });
  let requests = 0;
  const host: ClientHost = {
    reads: Buffer.alloc(4_096),
    settings: serverSettings({ host: '', port: 0 }),
    clock: { wall: () => 0, steady: () => 0 },
    confirmed: () => 0,
    refusal: () => 0,
    tooFast: () => undefined,
    push: () => 0,
    blocked: () => {},
    due: () => {},
    refused: () => void requests++,
    failed: () => {},
    closed: () => {},
  };
  new Client(host, socket as Socket);
  // Each read is refused at once, so that nothing but its answers holds the device up.
  const reads = Buffer.concat(Array.from({ length: 200 }, (_, n) => request(n, [3, 0, 0, 0, 1])));
  socket.emit('data', reads);
  // What others read into too: what waits of it has been copied.
  reads.fill(0xee);
  const first = requests;
  assert.ok(first > 0 && first <= 2 * MOST_OPEN, `${first}`);
  assert.equal(socket.isPaused(), true);
  assert.ok(socket.writableLength <= first * 9);
  for (let turn = 0; requests < 200 && turn < 200; turn++) {
    take?.();
    socket.emit('drain');
  }
  assert.equal(requests, 200);
  assert.equal(socket.isPaused(), false);
});

test('a port that is in use is refused with the setting that names it', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const source = new ModbusServer('panel', { host: '127.0.0.1', port }, new RecordingIngress());
  await assert.rejects(source.start(), {
    code: 'SLUICE_LISTEN_IN_USE',
    message: new RegExp(`^The source panel cannot listen on 127.0.0.1:${port} .*sources.panel.modbus.listen`),
  });
  await source.stop();
});

test('any bytes in any pieces: every connection ends or goes on, and what is taken is a write', async t => {
  const { ingress, source, connect } = await started(t, { requestMs: 20 });
  const pdu = fc.oneof(
    fc.constantFrom(register(1, 2), [5, 0, 1, 0xff, 0], [16, 0, 0, 0, 1, 2, 0, 9], [15, 0, 0, 0, 3, 1, 7]),
    fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }),
  );
  const piece = fc.oneof(
    pdu.map(bytes => request(1, bytes)),
    fc.uint8Array({ maxLength: 30 }).map(bytes => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async pieces => {
      const device = await connect();
      for (const bytes of pieces) device.socket.write(bytes);
      device.socket.end();
      source.delivered(Number.MAX_SAFE_INTEGER);
      await device.isClosed();
    }),
    { numRuns: 60 },
  );
  for (const { topic } of ingress.frames) assert.match(topic, /^panel\/\d+\/[13]\/\d+-\d+$/);
  await works(await connect(), ingress, source);
});
