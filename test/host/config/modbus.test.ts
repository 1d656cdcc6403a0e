import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read } from './support.js';

const source = (modbus: string): string => `sources: { a: { modbus: { ${modbus} } } }\n`;
const POLL = 'poll: [ { holding: 0-11, every: 1s } ]';

test('a serial line has the settings of the specification unless others are given', async () => {
  const { config } = await read(source(`serial: { path: /dev/ttyUSB0 }, units: 1-3, ${POLL}`));
  assert.deepEqual(config.sources.get('a')?.modbus?.devices, [
    {
      serial: { path: '/dev/ttyUSB0', baud: 19_200, parity: 'even', dataBits: 8, stopBits: 1 },
      units: [1, 2, 3],
    },
  ]);
});

test('without parity there are two stop bits', async () => {
  const { config } = await read(source(`serial: { path: COM3, parity: none, baud: 9600 }, ${POLL}`));
  assert.deepEqual(config.sources.get('a')?.modbus?.devices[0]?.serial, {
    path: 'COM3',
    baud: 9600,
    parity: 'none',
    dataBits: 8,
    stopBits: 2,
  });
});

test('a device on TCP may send RTU frames, and a gap may be set', async () => {
  const { config } = await read(source(`devices: [ { host: h, framing: rtu } ], gap: 5ms, ${POLL}`));
  const modbus = config.sources.get('a')?.modbus;
  assert.deepEqual(modbus?.devices, [{ host: 'h', port: 502, units: [1], framing: 'rtu' }]);
  assert.equal(modbus?.gapMs, 5);
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['neither', POLL, /modbus: has none of `devices` \(on TCP\), `serial` \(one line\), `listen`/],
  [
    'both',
    `devices: [ { host: h } ], serial: { path: p }, ${POLL}`,
    /modbus: has `devices` and `serial` of .*; exactly one is right/,
  ],
  [
    'units beside devices',
    `devices: [ { host: h } ], units: 1, ${POLL}`,
    /modbus\.units: goes with `serial`/,
  ],
  ['a parity that is none', `serial: { path: p, parity: evn }, ${POLL}`, /modbus\.serial\.parity/],
  ['devices beside listen', `devices: [ { host: h } ], listen: {}`, /modbus: has `devices` and `listen` of/],
  [
    'a unit to listen for beyond a byte',
    'listen: { units: 1-300 }',
    /listen\.units: a unit id is at most 255/,
  ],
  ['an address beyond the last', 'listen: { holding: 0-70000 }', /listen\.holding: .*goes beyond 65535/],
  ['a unit beyond a byte', `serial: { path: p }, units: 1-300, ${POLL}`, /a unit id is at most 255/],
];

for (const [what, text, expected] of WRONG) {
  test(`${what}: said with its place`, async () => {
    assert.match((await problemsOf(source(text))).join('\n'), expected);
  });
}

test('a source may listen for devices that write, with settings of its own', async () => {
  const { config } = await read(
    source('listen: { host: 0.0.0.0, port: 1502, units: 1-2, holding: 0-99, timeout: 2s, connections: 8 }'),
  );
  assert.deepEqual(config.sources.get('a')?.modbusServer, {
    host: '0.0.0.0',
    port: 1502,
    units: [1, 2],
    holding: { first: 0, last: 99 },
    timeoutMs: 2000,
    connections: 8,
  });
});

test('a source that listens does so on loopback unless it is told otherwise', async () => {
  const { config } = await read(source('listen: {}'));
  assert.deepEqual(config.sources.get('a')?.modbusServer, { host: '127.0.0.1', port: 502 });
});

test('what goes with polling is refused beside `listen`', async () => {
  const problems = await problemsOf(source(`listen: {}, ${POLL}, timeout: 1s`));
  assert.match(
    problems.join('\n'),
    /modbus\.poll: goes with polling, and a source with `listen` polls nothing/,
  );
  assert.match(problems.join('\n'), /modbus\.timeout: goes with polling/);
});

test('a source that polls says what', async () => {
  assert.match(
    (await problemsOf(source('devices: [ { host: h } ]'))).join('\n'),
    /modbus: "poll" is missing/,
  );
});
