import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backOff } from '../../../host/sources/modbus/back-off.js';
import { systemClock } from '../../../host/sources/modbus/clock.js';
import type { ModbusConfig } from '../../../host/sources/modbus/config.js';
import { plan } from '../../../host/sources/modbus/plan.js';
import { parseRange, parseSpan } from '../../../host/sources/modbus/range.js';
import { Request, RequestLine } from '../../../host/sources/modbus/request.js';
import { SluiceError } from '../../../runtime/index.js';

function topicsOf(config: ModbusConfig): string[] {
  const topics: string[] = [];
  plan('line1', config, text => topics.push(text));
  return topics;
}

const one = { host: '10.0.0.1', port: 502, units: [1] };

test('ranges are read as a number, a span, or a list of both', () => {
  assert.deepEqual(parseRange('1-4', 'units'), [1, 2, 3, 4]);
  assert.deepEqual(parseRange('1,3, 7 - 9,3', 'units'), [1, 3, 7, 8, 9]);
  assert.deepEqual(parseRange(5, 'units'), [5]);
  assert.deepEqual(parseSpan('0-11', 'holding'), { first: 0, last: 11 });
});

test('what is no range is refused with the name of the setting', () => {
  for (const text of [
    '',
    '1-',
    '-3',
    '4-1',
    '1,,2',
    'a',
    '1.5',
    '1e3',
    '0-65536',
    '0-99999999999999',
    1.5,
    -1,
  ]) {
    assert.throws(
      () => parseRange(text, 'devices[0].units'),
      (thrown: unknown) =>
        thrown instanceof SluiceError &&
        thrown.code === 'SLUICE_CONFIG_INVALID' &&
        thrown.message.startsWith(`devices[0].units: "${text}" `),
    );
  }
});

test('any text as a range gives numbers or a coded error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9,\- ]{0,12}$/)), text => {
      try {
        for (const value of parseRange(text, 'x')) assert.ok(value >= 0 && value <= 0xffff);
      } catch (thrown) {
        assert.ok(thrown instanceof SluiceError && thrown.code === 'SLUICE_CONFIG_INVALID', String(thrown));
      }
    }),
  );
});

test('one device gives topics without its name, function as its code', () => {
  const poll = [
    { coils: { first: 0, last: 7 }, everyMs: 100 },
    { discrete: { first: 1, last: 1 }, everyMs: 100 },
    { holding: { first: 0, last: 11 }, everyMs: 100 },
    { input: { first: 65535, last: 65535 }, everyMs: 50 },
  ];
  assert.deepEqual(topicsOf({ devices: [{ ...one, name: 'press' }], poll }), [
    'line1/1/1/0-7',
    'line1/1/2/1-1',
    'line1/1/3/0-11',
    'line1/1/4/65535-65535',
  ]);
});

test('several devices give topics with the name of the device, or its address', () => {
  const poll = [{ holding: { first: 0, last: 1 }, everyMs: 100 }];
  const devices = [
    { ...one, name: 'press' },
    { ...one, port: 1502 },
  ];
  assert.deepEqual(topicsOf({ devices, poll }), ['line1/press/1/3/0-1', 'line1/10.0.0.1:1502/1/3/0-1']);
});

test('ranges longer than one request are split without a gap', () => {
  const poll = [
    { holding: { first: 10, last: 300 }, everyMs: 100 },
    { coils: { first: 0, last: 2000 }, everyMs: 100 },
  ];
  assert.deepEqual(topicsOf({ devices: [one], poll }), [
    'line1/1/3/10-134',
    'line1/1/3/135-259',
    'line1/1/3/260-300',
    'line1/1/1/0-1999',
    'line1/1/1/2000-2000',
  ]);
});

test('polls of one period are one round, so that they leave together', () => {
  const poll = [
    { holding: { first: 0, last: 1 }, everyMs: 100 },
    { input: { first: 0, last: 1 }, everyMs: 20 },
    { coils: { first: 0, last: 1 }, everyMs: 100 },
  ];
  const [device] = plan('line1', { devices: [{ ...one, units: [1, 2] }], poll }, () => 0);
  assert.deepEqual(
    device?.rounds.map(({ everyMs, requests }) => [everyMs, requests.map(r => `${r.unit} ${r.what}`)]),
    [
      [100, ['1 holding 0-1', '2 holding 0-1', '1 coils 0-1', '2 coils 0-1']],
      [20, ['1 input 0-1', '2 input 0-1']],
    ],
  );
});

for (const [what, config] of [
  ['no range', { devices: [one], poll: [{ everyMs: 100 }] }],
  [
    'two ranges',
    {
      devices: [one],
      poll: [{ holding: { first: 0, last: 1 }, coils: { first: 0, last: 1 }, everyMs: 100 }],
    },
  ],
  ['a range beyond 65535', { devices: [one], poll: [{ holding: { first: 0, last: 65536 }, everyMs: 100 }] }],
  [
    'a range that ends before it begins',
    { devices: [one], poll: [{ input: { first: 5, last: 4 }, everyMs: 100 }] },
  ],
  ['a period of 0 ms', { devices: [one], poll: [{ input: { first: 4, last: 4 }, everyMs: 0 }] }],
  ['two devices of one name', { devices: [one, one], poll: [] }],
] as const) {
  test(`${what} in a poll list is refused as configuration`, () => {
    assert.throws(() => topicsOf(config), { code: 'SLUICE_CONFIG_INVALID', message: /^line1: / });
  });
}

test('the back-off doubles up to its ceiling, and jitter takes away at most half', () => {
  const without = [0, 1, 2, 3, 50].map(attempt => backOff(attempt, 500, 3_000, 0));
  assert.deepEqual(without, [500, 1_000, 2_000, 3_000, 3_000]);
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999999, noNaN: true }), (attempt, random) => {
      const wait = backOff(attempt, 500, 30_000, random);
      assert.ok(wait >= 250 && wait <= 30_000, `${wait} ms`);
    }),
  );
});

test('a line of requests behaves as a list does, whatever is put in and taken out', () => {
  const any = fc.array(fc.oneof(fc.constant('push' as const), fc.nat(20)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), any, (capacity, steps) => {
      const line = new RequestLine(capacity);
      const list: Request[] = [];
      let transaction = 0;
      for (const step of steps) {
        if (step === 'push') {
          if (list.length === capacity) continue;
          const request = new Request(1, 'holding', 0, 1, 0);
          request.transaction = ++transaction;
          line.push(request);
          list.push(request);
        } else if (list.length > 0) {
          assert.equal(line.remove(step % list.length), list.splice(step % list.length, 1)[0]);
        }
        assert.equal(line.length, list.length);
        for (const [i, request] of list.entries()) {
          assert.equal(line.at(i), request);
          assert.equal(line.find(request.transaction), i);
        }
        assert.equal(line.find(0), -1);
      }
    }),
  );
});

test('the wall clock is the time of the system, with fractions', () => {
  const clock = systemClock();
  const times = Array.from({ length: 50 }, () => clock.wall());
  // Between two looks, as the test may have to wait for the processor in between.
  const [before, wall, after] = [Date.now(), clock.wall(), Date.now()];
  assert.ok(wall > before - 5 && wall < after + 5, `${wall} is not between ${before} and ${after}`);
  assert.ok(times.some(time => !Number.isInteger(time)));
});
