import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ModbusConfig } from '../../../host/sources/modbus/config.js';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';
import {
  adu,
  answerTo,
  exceptionTo,
  RawDevice,
  rightPdu,
  type SeenRequest,
  unusedPort,
} from '../../support/devices/plc.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

const poll = [{ holding: { first: 0, last: 1 }, everyMs: 20 }];
const quick = { reconnect: { minMs: 5, maxMs: 20 } };
/** No answer is that late, however busy the machine is; and what waits for a time-out waits for a short one. */
const PATIENT_MS = 20_000;
const SHORT_MS = 150;

/** A started source on a device by hand; both are stopped when the test ends. */
async function scene(
  t: TestContext,
  answer: (request: SeenRequest, socket: Socket, device: RawDevice) => void,
  config: Partial<ModbusConfig> & { units?: readonly number[] } = {},
) {
  const device = new RawDevice(answer);
  const port = await device.start();
  const ingress = new RecordingIngress();
  const { units = [3], timeoutMs = PATIENT_MS, ...rest } = config;
  const devices = [{ name: 'press', host: '127.0.0.1', port, units }];
  const source = new ModbusSource('line1', { devices, poll, timeoutMs, ...quick, ...rest }, ingress);
  t.after(async () => {
    await source.stop();
    await device.stop();
  });
  await source.start();
  return { device, port, ingress, source, at: `127.0.0.1:${port}` };
}

/** Misbehaves on the first connection and answers on the others. */
function onFirst(bad: (request: SeenRequest, socket: Socket) => void) {
  return (request: SeenRequest, socket: Socket, device: RawDevice): void => {
    if (device.connections === 1) bad(request, socket);
    else socket.write(answerTo(request));
  };
}

test('a PLC that is away is tried again with back-off, and read as soon as it is there', async t => {
  const port = await unusedPort();
  const ingress = new RecordingIngress();
  const devices = [{ host: '127.0.0.1', port, units: [1] }];
  const source = new ModbusSource('line1', { devices, poll, ...quick }, ingress);
  t.after(() => source.stop());
  await source.start();
  await ingress.until(() => ingress.faults.length >= 3 && ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED') > 0);
  for (const message of ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')) {
    assert.match(message, new RegExp(`^line1: 127.0.0.1:${port}: .*ECONNREFUSED.*; next try in \\d+ ms$`));
  }
  assert.equal(ingress.faults.length, ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length);
  const [peer] = source.state();
  assert.deepEqual([peer?.name, peer?.lastFrame], [`127.0.0.1:${port}`, 0]);
  assert.equal(peer?.fault?.code, 'SLUICE_SOURCE_DISCONNECTED');

  const device = new RawDevice((request, socket) => void socket.write(answerTo(request)));
  t.after(() => device.stop());
  await device.start(port);
  await ingress.until(() => ingress.frames.length >= 2);
  assert.equal(source.state()[0]?.state, 'connected');
});

test('a slow unit times out, its late answer is dropped and counted, and its neighbours keep the connection', async t => {
  let slow: (() => void) | undefined;
  const { device, ingress, at } = await scene(
    t,
    (request, socket, { requests }) => {
      // Unit 3 gives its first answer only when it has been given up; unit 4 answers always.
      const first = request.unit === 3 && requests.filter(({ unit }) => unit === 3).length === 1;
      if (first) slow = () => socket.write(answerTo(request));
      else socket.write(answerTo(request));
    },
    // The time is over long before the next poll, when nothing else is in flight.
    { units: [3, 4], timeoutMs: SHORT_MS, poll: [{ holding: { first: 0, last: 1 }, everyMs: 4 * SHORT_MS }] },
  );
  await ingress.until(() => ingress.faults.length > 0);
  assert.deepEqual(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT'), [
    `line1: ${at} unit 3 did not answer holding 0-1 within ${SHORT_MS} ms`,
  ]);
  assert.deepEqual(
    ingress.frames.map(({ topic }) => topic),
    ['line1/4/3/0-1'],
  );
  slow?.();
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_TIMEOUT') === 1);
  await ingress.until(() => ingress.frames.length >= 3);
  assert.ok(ingress.frames.some(({ topic }) => topic === 'line1/3/3/0-1'));
  assert.deepEqual([device.connections, ingress.faults.length], [1, 1]);
});

test('a poll that comes while its last one is unanswered is skipped and counted, and not sent', async t => {
  const { device, ingress } = await scene(t, () => {});
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_OVERRUN') >= 3);
  assert.equal(device.requests.length, 1);
});

test('a silent device times out for each request in flight, and is connected anew', async t => {
  const { device, ingress, at } = await scene(
    t,
    onFirst(() => {}),
    { units: [3, 4], inFlight: 2, timeoutMs: SHORT_MS },
  );
  await ingress.until(() => ingress.frames.length >= 2);
  assert.deepEqual(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT'), [
    `line1: ${at} unit 3 did not answer holding 0-1 within ${SHORT_MS} ms`,
    `line1: ${at} unit 4 did not answer holding 0-1 within ${SHORT_MS} ms`,
  ]);
  assert.equal(ingress.faults.length, 2);
  assert.deepEqual([device.connections, device.sockets.size], [2, 1]);
  assert.equal(ingress.faults[0]?.peer, 'press');
});

test('a silent unit on a device without pipelining does not starve the units behind it', async t => {
  const { ingress } = await scene(
    t,
    (request, socket) => {
      if (request.unit !== 2) socket.write(answerTo(request));
    },
    { units: [1, 2, 3], inFlight: 1, timeoutMs: SHORT_MS },
  );
  await ingress.until(() => ingress.frames.filter(({ topic }) => topic.startsWith('line1/3/')).length >= 3);
  assert.ok(ingress.faults.every(({ code }) => code === 'SLUICE_SOURCE_TIMEOUT'));
});

test('an exception is a frame like any other', async t => {
  const { device, ingress } = await scene(t, (request, socket) => void socket.write(exceptionTo(request, 2)));
  await ingress.until(() => ingress.frames.length >= 3);
  for (const { topic, bytes } of ingress.frames) {
    assert.equal(topic, 'line1/3/3/0-1');
    assert.equal(bytes.subarray(2).toString('hex'), '00000003038302');
  }
  assert.deepEqual(ingress.faults, []);
  assert.equal(device.connections, 1);
});

for (const [what, bad, text] of [
  ['a wrong transaction id', { transaction: 0x7777 }, /transaction id 30583 answers no request that is open/],
  ['a wrong protocol id', { protocol: 1 }, /protocol id 1 where Modbus has 0/],
  ['a length beyond the protocol', { length: 255 }, /length 255 outside 2-254/],
  ['a length below the protocol', { length: 1 }, /length 1 outside 2-254/],
  ['another unit', { unit: 9 }, /answer of unit 9 to a request to unit 3 \(holding 0-1\)/],
] as const) {
  test(`an answer with ${what} is dropped, and the connection opened anew`, async t => {
    const { device, ingress, at, source } = await scene(
      t,
      onFirst((request, socket) => socket.write(adu(request, rightPdu(request), bad))),
    );
    await ingress.until(() => ingress.frames.length >= 1);
    const [message, ...more] = ingress.faultsOf('SLUICE_SOURCE_PROTOCOL');
    assert.match(message ?? '', text);
    assert.ok(message?.startsWith(`line1: ${at}: `), message);
    assert.deepEqual(more, []);
    assert.deepEqual(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED'), [
      `line1: ${at} unit 3 did not answer holding 0-1: the connection was closed after a protocol error`,
    ]);
    assert.deepEqual([device.connections, device.sockets.size], [2, 1]);
    assert.equal(source.state()[0]?.state, 'connected');
    assert.equal(ingress.frames[0]?.bytes.toString('hex'), '0002000000070303040000' + '0001');
  });
}

test('an answer with fewer registers than asked for is dropped, and the connection opened anew', async t => {
  const { device, ingress } = await scene(
    t,
    onFirst((request, socket) => socket.write(answerTo({ ...request, count: 1 }))),
  );
  await ingress.until(() => ingress.frames.length >= 1);
  assert.match(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0] ?? '', /answer of 11 bytes with byte count 2/);
  assert.equal(device.connections, 2);
});

test('the same answer twice is a protocol error the second time', async t => {
  const { ingress } = await scene(
    t,
    onFirst((request, socket) => socket.write(Buffer.concat([answerTo(request), answerTo(request)]))),
  );
  await ingress.until(() => ingress.frames.length >= 2);
  assert.match(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0] ?? '', /transaction id 1 answers no request/);
});

test('half a frame and then a close fails the call at once, and the connection is opened anew', async t => {
  const { device, ingress, at } = await scene(
    t,
    onFirst((request, socket) => void socket.end(answerTo(request).subarray(0, 8))),
  );
  await ingress.until(() => ingress.frames.length >= 1);
  const [close, call, ...more] = ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED');
  const why = 'the device closed the connection in the middle of a frame, after 8 bytes';
  assert.ok(close?.startsWith(`line1: ${at}: ${why}; next try in `), close);
  assert.equal(call, `line1: ${at} unit 3 did not answer holding 0-1: ${why}`);
  assert.deepEqual(more, []);
  assert.equal(ingress.frames[0]?.bytes.length, 13);
  assert.equal(device.connections, 2);
});

test('half a frame and then nothing times out, and its rest on the next connection is not awaited', async t => {
  const { ingress } = await scene(
    t,
    onFirst((request, socket) => socket.write(answerTo(request).subarray(0, 11))),
    { timeoutMs: SHORT_MS },
  );
  await ingress.until(() => ingress.frames.length >= 1);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length, 1);
  assert.equal(ingress.faults.length, 1);
});

for (const [what, close] of [
  ['closes', (socket: Socket) => socket.end()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  test(`a device that ${what} the connection early fails all pending calls at once`, async t => {
    const { ingress, device } = await scene(
      t,
      onFirst((_, socket) => void close(socket)),
      {
        units: [1, 2, 3],
        inFlight: 2,
      },
    );
    await ingress.until(() => ingress.frames.length >= 3);
    const calls = ingress
      .faultsOf('SLUICE_SOURCE_DISCONNECTED')
      .filter(text => text.includes('did not answer'));
    assert.deepEqual(
      calls.map(text => /unit \d/.exec(text)?.[0]),
      ['unit 1', 'unit 2'],
    );
    assert.ok(ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED') >= 1, 'unit 3 was not sent yet');
    assert.equal(device.connections, 2);
  });
}

test('a device that closes every connection unanswered is tried less and less often', async t => {
  const { ingress, device } = await scene(t, (_, socket) => void socket.end(), {
    reconnect: { minMs: 4, maxMs: 64 },
  });
  const waits = () =>
    ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').flatMap(text => /next try in (\d+)/.exec(text)?.[1] ?? []);
  await ingress.until(() => waits().length >= 6);
  for (const [attempt, wait] of waits().slice(0, 6).entries()) {
    const whole = Math.min(64, 4 * 2 ** attempt);
    assert.ok(Number(wait) >= whole / 2 && Number(wait) <= whole, `try ${attempt}: ${wait} ms of ${whole}`);
  }
  assert.ok(device.connections >= 6);
});

test('a device that answers before it closes is tried again soon, each time', async t => {
  const { ingress } = await scene(t, (request, socket) => void socket.end(answerTo(request)), {
    reconnect: { minMs: 8, maxMs: 1_000 },
  });
  await ingress.until(() => ingress.frames.length >= 5);
  for (const text of ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')) {
    const wait = Number(/next try in (\d+)/.exec(text)?.[1]);
    assert.ok(wait >= 4 && wait <= 8, text);
  }
});

test('answers in any order, in pieces of one byte or all in one, each become their frame', async t => {
  const open: SeenRequest[] = [];
  let rounds = 0;
  const { ingress } = await scene(
    t,
    (request, socket) => {
      open.unshift(request);
      if (open.length < 4) return;
      const bytes = Buffer.concat(open.splice(0).map(answerTo));
      rounds += 1;
      if (rounds % 2 === 0) socket.write(bytes);
      else for (const byte of bytes) socket.write(Buffer.of(byte));
    },
    { units: [1, 2, 3, 4] },
  );
  await ingress.until(() => ingress.frames.length >= 16);
  assert.deepEqual(ingress.faults, []);
  assert.deepEqual(
    ingress.frames.slice(0, 4).map(({ topic }) => topic),
    ['line1/4/3/0-1', 'line1/3/3/0-1', 'line1/2/3/0-1', 'line1/1/3/0-1'],
  );
  for (const { topic, bytes } of ingress.frames) assert.equal(topic, `line1/${bytes[6]}/3/0-1`);
});

test('requests of one turn leave in one write, never more in flight than allowed', async t => {
  let inFlight = 0;
  let most = 0;
  const { device, ingress } = await scene(
    t,
    (request, socket) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        socket.write(answerTo(request));
      });
    },
    { units: [1, 2, 3, 4, 5, 6, 7], inFlight: 3 },
  );
  await ingress.until(() => ingress.frames.length >= 14);
  assert.equal(device.chunks[0], 3);
  assert.equal(most, 3);
  assert.deepEqual(ingress.faults, []);
});

test('stopping fails what is in flight at once and leaves no connection behind', async t => {
  const device = new RawDevice(() => {});
  const port = await device.start();
  t.after(() => device.stop());
  const ingress = new RecordingIngress();
  const devices = [{ host: '127.0.0.1', port, units: [1, 2, 3] }];
  const source = new ModbusSource('line1', { devices, poll, timeoutMs: 60_000, inFlight: 2 }, ingress);
  await source.start();
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_OVERRUN') > 0);
  const [socket] = device.sockets;
  const closed = socket === undefined ? undefined : once(socket, 'close');
  await source.stop();
  await closed;
  assert.deepEqual(
    ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').map(text => text.replace(/^.*? unit/, 'unit')),
    [
      'unit 1 did not answer holding 0-1: the gateway stops',
      'unit 2 did not answer holding 0-1: the gateway stops',
    ],
  );
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_DISCONNECTED'), 1, 'unit 3 was not sent');
  assert.equal(source.state()[0]?.state, 'stopped');
  assert.equal(device.connections, 1);
});

test('stopping while the device is away ends the tries', async () => {
  const ingress = new RecordingIngress();
  const devices = [{ host: '127.0.0.1', port: await unusedPort(), units: [1] }];
  const source = new ModbusSource('line1', { devices, poll, ...quick }, ingress);
  await source.start();
  await ingress.until(() => ingress.faults.length >= 1);
  await source.stop();
  // That nothing of it is left is held by the process, which would otherwise not end.
  assert.equal(source.state()[0]?.state, 'stopped');
});
