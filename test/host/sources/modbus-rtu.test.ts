import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { ModbusConfig, ModbusPoll } from '../../../host/sources/modbus/config.js';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';
import { silenceMs } from '../../../host/sources/modbus-rtu/rtu-config.js';
import { rightPdu, unusedPort } from '../../support/devices/plc.js';
import { type RtuRequest, RtuServer, rtuFrame } from '../../support/devices/rtu-line.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

const holding: ModbusPoll = { holding: { first: 0, last: 1 }, everyMs: 20 };
const quick = { reconnect: { minMs: 5, maxMs: 20 } };
/** No answer is that late, however busy the machine is; and what waits for a time-out waits for a short one. */
const PATIENT_MS = 20_000;
const SHORT_MS = 150;
const right = (request: RtuRequest): Buffer =>
  rtuFrame(request.unit, rightPdu({ ...request, transaction: 0 }));

/** A started source on a device server by hand; both are stopped when the test ends. */
async function scene(
  t: TestContext,
  answer: (request: RtuRequest, line: Writable, server: RtuServer) => void,
  {
    units = [3],
    timeoutMs = PATIENT_MS,
    ...config
  }: Partial<ModbusConfig> & { units?: readonly number[] } = {},
) {
  const server = new RtuServer(answer);
  const port = await server.start();
  const ingress = new RecordingIngress();
  const devices = [{ host: '127.0.0.1', port, units, framing: 'rtu' as const }];
  const source = new ModbusSource(
    'line2',
    { devices, poll: [holding], timeoutMs, ...quick, ...config },
    ingress,
  );
  t.after(async () => {
    await source.stop();
    await server.stop();
  });
  await source.start();
  return { server, port, ingress, source, at: `line2: 127.0.0.1:${port}` };
}

test('answers become frames as Modbus TCP would have carried them, for all four functions', async t => {
  const poll: ModbusPoll[] = [
    { coils: { first: 0, last: 8 }, everyMs: 20 },
    { discrete: { first: 4, last: 4 }, everyMs: 20 },
    { holding: { first: 0, last: 124 }, everyMs: 20 },
    { input: { first: 7, last: 7 }, everyMs: 20 },
  ];
  const { ingress } = await scene(t, (request, line) => void line.write(right(request)), { poll });
  await ingress.until(() => ingress.frames.length >= 4);
  const frames = new Map(ingress.frames.map(({ topic, bytes }) => [topic, bytes]));
  const pdus = [...frames].map(([topic, bytes]) => [
    topic,
    bytes.subarray(2, 10).toString('hex'),
    bytes.length,
  ]);
  assert.deepEqual(pdus, [
    ['line2/3/1/0-8', '0000000503010200', 11],
    ['line2/3/2/4-4', '0000000403020100', 10],
    ['line2/3/3/0-124', '000000fd0303fa00', 259],
    ['line2/3/4/7-7', '0000000503040200', 11],
  ]);
  assert.deepEqual([...frames.get('line2/3/4/7-7')!.subarray(9)], [0, 7]);
});

test('units are asked one after the other: no request leaves before the answer to the one before', async t => {
  let open = 0;
  let most = 0;
  const answer = (request: RtuRequest, line: Writable): void => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      line.write(right(request));
    });
  };
  const { ingress } = await scene(t, answer, { units: [1, 2, 3, 4] });
  await ingress.until(() => ingress.frames.length >= 12);
  assert.equal(most, 1);
});

test('between an answer and the next request there is the configured gap', async t => {
  const times: number[] = [];
  const answer = (request: RtuRequest, line: Writable): void => {
    times.push(performance.now());
    line.write(right(request));
  };
  const { ingress } = await scene(t, answer, { units: [1, 2, 3], gapMs: 15 });
  await ingress.until(() => ingress.frames.length >= 4);
  const gaps = times.slice(1).map((time, n) => time - times[n]!);
  assert.ok(Math.min(...gaps) >= 14.5, `${gaps.join(', ')} ms`);
});

test('an exception of a unit is a frame', async t => {
  const { ingress } = await scene(
    t,
    ({ unit, code }, line) => void line.write(rtuFrame(unit, [code | 0x80, 2])),
  );
  await ingress.until(() => ingress.frames.length > 0);
  assert.equal(ingress.frames[0]!.bytes.subarray(2).toString('hex'), '00000003038302');
  assert.deepEqual(ingress.faults, []);
});

test('however an answer is cut up, and with noise of the line in front, it is found', async t => {
  const { ingress } = await scene(t, (request, line, { requests }) => {
    const bytes = Buffer.concat([Buffer.from([0x00]), right(request)]);
    const at = 1 + (requests.length % (bytes.length - 1));
    line.write(bytes.subarray(0, at));
    setImmediate(() => line.write(bytes.subarray(at)));
  });
  await ingress.until(() => ingress.frames.length >= 9);
  for (const { bytes } of ingress.frames) {
    assert.equal(bytes.subarray(2).toString('hex'), '00000007030304' + '00000001');
  }
});

test('a wrong check sum fails the poll and not the connection', async t => {
  const { ingress, server, at } = await scene(t, (request, line, { requests }) => {
    const bytes = right(request);
    if (requests.length === 1) bytes[4]! ^= 0xff;
    line.write(bytes);
  });
  await ingress.until(() => ingress.frames.length > 0);
  assert.deepEqual(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL'), [
    `${at} unit 3 gave no right answer to holding 0-1: CRC error`,
  ]);
  assert.equal(server.connections, 1);
});

test('a byte count that does not go with the request fails the poll', async t => {
  const { ingress, at } = await scene(
    t,
    ({ unit }, line) => void line.write(rtuFrame(unit, [3, 2, 0, 1, 0, 2])),
  );
  await ingress.until(() => ingress.faults.length > 0);
  assert.equal(
    ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0],
    `${at} unit 3 gave no right answer to holding 0-1: answer with byte count 2 where 4 is right`,
  );
  assert.equal(ingress.frames.length, 0);
});

test('a unit that is silent times out, and its neighbours go on on the same connection', async t => {
  const answer = (request: RtuRequest, line: Writable): void => {
    if (request.unit === 4) line.write(right(request));
  };
  const { ingress, server, at } = await scene(t, answer, { units: [3, 4], timeoutMs: SHORT_MS });
  await ingress.until(() => ingress.faults.length >= 3 && ingress.frames.length >= 3);
  assert.equal(
    ingress.faultsOf('SLUICE_SOURCE_TIMEOUT')[0],
    `${at} unit 3 did not answer holding 0-1 within ${SHORT_MS} ms`,
  );
  assert.equal(server.connections, 1);
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_OVERRUN') > 0);
});

test('an answer that comes after its time is not taken for the answer to the next request', async t => {
  // The gap is the time that a late answer gets to pass by.
  const answer = (request: RtuRequest, line: Writable, { requests }: RtuServer): void => {
    if (requests.length > 1) line.write(rtuFrame(request.unit, [3, 4, 0, 2, 0, 2]));
    else setTimeout(() => line.write(rtuFrame(request.unit, [3, 4, 0xde, 0xad, 0, 1])), SHORT_MS + 20);
  };
  const { ingress } = await scene(t, answer, { gapMs: 250, timeoutMs: SHORT_MS });
  await ingress.until(() => ingress.frames.length >= 1);
  for (const { bytes } of ingress.frames) assert.equal(bytes.subarray(9).toString('hex'), '00020002');
});

test('an answer that came while our own loop was busy is not called late', async t => {
  const timeoutMs = 60;
  const { ingress } = await scene(
    t,
    (request, line, { requests }) => {
      line.write(right(request));
      if (requests.length === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * timeoutMs);
    },
    { timeoutMs },
  );
  await ingress.until(() => ingress.frames.length + ingress.faults.length > 0);
  assert.deepEqual(ingress.faults, []);
  assert.equal(ingress.frames[0]!.bytes.readUInt16BE(0), 1);
});

test('when nobody answers any more the connection is opened anew', async t => {
  const { ingress, server } = await scene(
    t,
    (request, line, { connections }) => {
      if (connections > 1) line.write(right(request));
    },
    { timeoutMs: SHORT_MS },
  );
  await ingress.until(() => ingress.frames.length > 0);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length, 3);
  assert.equal(server.connections, 2);
});

test('a device server that is away is tried again with back-off, and read as soon as it is there', async t => {
  const port = await unusedPort();
  const ingress = new RecordingIngress();
  const devices = [{ host: '127.0.0.1', port, units: [1], framing: 'rtu' as const }];
  const source = new ModbusSource('line2', { devices, poll: [holding], ...quick }, ingress);
  t.after(() => source.stop());
  await source.start();
  await ingress.until(() => ingress.faults.length >= 2 && ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED') > 0);
  assert.match(
    ingress.faults[0]!.message,
    new RegExp(`^line2: 127.0.0.1:${port}: .*ECONNREFUSED.*; next try in \\d+ ms$`),
  );
  const server = new RtuServer((request, line) => void line.write(right(request)));
  t.after(() => server.stop());
  await server.start(port);
  await ingress.until(() => ingress.frames.length >= 2);
  assert.equal(source.state()[0]?.state, 'connected');
  assert.equal(ingress.peers.length, 1);
});

test('a connection that ends in the middle of an answer fails that poll, and the next one is read', async t => {
  const { ingress } = await scene(t, (request, line, { requests, sockets }) => {
    if (requests.length > 1) line.write(right(request));
    else {
      line.write(right(request).subarray(0, 4));
      for (const socket of sockets) socket.end();
    }
  });
  await ingress.until(() => ingress.frames.length > 0);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').join('\n'),
    /unit 3 did not answer holding 0-1/,
  );
});

test('an answer that finds no room is held, and handed over when there is room', async t => {
  const { ingress, source, server } = await scene(t, (request, line) => void line.write(right(request)));
  await ingress.until(() => ingress.frames.length > 0);
  ingress.places = 0;
  await ingress.until(() => ingress.refused > 0 && ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE') > 0);
  const taken = ingress.frames.length;
  ingress.places = Number.POSITIVE_INFINITY;
  source.resume();
  assert.equal(ingress.frames.length, taken + 1);
  await ingress.until(() => ingress.frames.length > taken + 2);
  // Each request that was asked gave its one frame.
  assert.ok(server.requests.length - ingress.frames.length <= 1);
});

test('the silence of a line is 3.5 characters, and 1.75 ms on fast lines', () => {
  const line = { path: '/dev/ttyS0', parity: 'even', dataBits: 8, stopBits: 1 } as const;
  assert.ok(Math.abs(silenceMs({ ...line, baud: 9600 }) - 4.01) < 0.01);
  assert.ok(Math.abs(silenceMs({ ...line, baud: 1200, parity: 'none' }) - 29.17) < 0.01);
  assert.equal(silenceMs({ ...line, baud: 115_200 }), 1.75);
});
