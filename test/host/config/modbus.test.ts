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
  ['neither', POLL, /has neither of `devices` \(TCP\) and `serial`/],
  ['both', `devices: [ { host: h } ], serial: { path: p }, ${POLL}`, /has both of `devices`/],
  [
    'units beside devices',
    `devices: [ { host: h } ], units: 1, ${POLL}`,
    /modbus\.units: goes with `serial`/,
  ],
  ['a parity that is none', `serial: { path: p, parity: evn }, ${POLL}`, /modbus\.serial\.parity/],
  ['a unit beyond a byte', `serial: { path: p }, units: 1-300, ${POLL}`, /a unit id is at most 255/],
];

for (const [what, text, expected] of WRONG) {
  test(`${what}: said with its place`, async () => {
    assert.match((await problemsOf(source(text))).join('\n'), expected);
  });
}
