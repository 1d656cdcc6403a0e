import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../host/config/load.js';
import { LARGEST_CONFIG } from '../../../host/config/read-text.js';
import { DEFAULT_POLICY } from '../../../runtime/index.js';
import { read, SOURCES } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
after(() => rm(folder, { recursive: true }));

async function fileWith(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

const { version: _, ...POLICY } = DEFAULT_POLICY;

test('the documented example is read into the shape that the code works with', async () => {
  const { config, warnings } = await read(`
plugins: { dir: ./plugins, deadline: 100ms, startDeadline: 2s, memory: 16MiB, simd: baseline, signatures: auto }
sources:
  line1:  { modbus: { devices: [ { host: 127.0.0.1, port: 502, units: 1-4 } ], poll: [ { holding: 0-11, every: 100ms } ] } }
sinks:
  plant:  { mqtt:   { url: mqtt://127.0.0.1:1883, qos: 1 } }
routes:
  - { from: [line1], through: [ modbus-json, { plugin: scale, config: { gain: 0.1 }, deadline: 50ms } ], to: [plant] }
data:  { dir: ./data, max: 1GiB }
admin: { host: 127.0.0.1, port: 8080 }
`);
  assert.deepEqual(config, {
    plugins: {
      dir: resolve('plugins'),
      deadlineMs: 100,
      startDeadlineMs: 2000,
      memoryBytes: 16 * 2 ** 20,
      policy: { content: POLICY },
      signatures: 'auto',
      keys: resolve('keys'),
      downgrade: false,
      sandboxes: 16,
      snapshotEvery: 100,
      breaker: {
        whenOpen: 'fallback',
        limits: {
          faults: 5,
          rate: 0.5,
          slow: 0.5,
          least: 20,
          windowMs: 10_000,
          pauseMs: 1000,
          longestPauseMs: 30_000,
        },
      },
      probation: { frames: 1000, ms: 10_000 },
    },
    sources: new Map([
      [
        'line1',
        {
          modbus: {
            devices: [{ host: '127.0.0.1', port: 502, units: [1, 2, 3, 4] }],
            poll: [{ holding: { first: 0, last: 11 }, everyMs: 100 }],
          },
        },
      ],
    ]),
    stale: new Map([['line1', { afterMs: 10_000, fromStart: true, renew: false }]]),
    sinks: new Map([
      [
        'plant',
        {
          mqtt: { url: 'mqtt://127.0.0.1:1883', version: 5, qos: 1 },
          spool: { rate: Number.POSITIVE_INFINITY },
        },
      ],
    ]),
    broker: { host: '127.0.0.1', port: 1883 },
    bringsBroker: false,
    routes: [
      {
        name: 'line1',
        from: ['line1'],
        through: [
          { plugin: 'modbus-json', config: '{}' },
          { plugin: 'scale', config: '{"gain":0.1}', deadlineMs: 50 },
        ],
        to: ['plant'],
        spool: { catchUp: 'ordered', whenFull: 'keep-all' },
        whenOpen: 'fallback',
      },
    ],
    data: { dir: resolve('data'), maxBytes: 2 ** 30 },
    admin: { host: '127.0.0.1', port: 8080, uploads: false, maxUploadBytes: 32 * 2 ** 20 },
  });
  assert.deepEqual(warnings, []);
});

test('sinks and routes may be left out, and everything else has a default', async () => {
  const { config } = await read(SOURCES);
  assert.equal(config.sinks.size, 0);
  assert.deepEqual(config.routes, []);
  assert.deepEqual(config.admin, {
    host: '127.0.0.1',
    port: 8080,
    uploads: false,
    maxUploadBytes: 32 * 2 ** 20,
  });
  assert.equal(config.plugins.deadlineMs, 100);
});

test('every setting of a source and a sink reaches the code in milliseconds, bytes and numbers', async () => {
  const { config } = await read(`
sources:
  a:
    modbus:
      devices: [ { name: press, host: plc, port: 1502, units: "1,3,5-7" }, { host: plc2, units: 9 } ]
      poll: [ { coils: 0-9, every: 1s }, { discrete: 5, every: 2s }, { input: 0-124, every: 1.5s } ]
      timeout: 500ms
      inFlight: 8
      reconnect: { min: 100ms, max: 5s }
  c:
    mqtt:
      url: mqtts://u:p@broker
      version: 4
      topics: [ in/#, $share/g/line/+/state ]
      qos: 2
      clientId: floor-1
      sessionExpiry: 2h
      window: 500
      maxMessage: 1MiB
      keepAlive: 90s
      will: { topic: state, payload: gone, qos: 1 }
      reconnect: { min: 1s }
  d: { mqtt: { url: mqtt://broker, topics: [ in/# ] } }
sinks:
  b:
    mqtt:
      url: mqtts://us%40er:pa%2Fss@broker:8883
      version: 4
      qos: 0
      clientId: gateway-1
      keepAlive: 90s
      prefix: plant/
      will: { topic: state, payload: gone, retain: true }
      tls: { ca: "-----BEGIN CERTIFICATE-----", serverName: broker.local }
      window: { messages: 500, bytes: 2MiB }
      reconnect: { min: 1s }
`);
  assert.deepEqual(config.sources.get('a')?.modbus, {
    devices: [
      { name: 'press', host: 'plc', port: 1502, units: [1, 3, 5, 6, 7] },
      { host: 'plc2', port: 502, units: [9] },
    ],
    poll: [
      { coils: { first: 0, last: 9 }, everyMs: 1000 },
      { discrete: { first: 5, last: 5 }, everyMs: 2000 },
      { input: { first: 0, last: 124 }, everyMs: 1500 },
    ],
    timeoutMs: 500,
    inFlight: 8,
    reconnect: { minMs: 100, maxMs: 5000 },
  });
  assert.deepEqual(config.sources.get('c')?.mqtt, {
    url: 'mqtts://broker',
    username: 'u',
    password: 'p',
    version: 4,
    topics: ['in/#', '$share/g/line/+/state'],
    qos: 2,
    clientId: 'floor-1',
    sessionExpiryS: 7200,
    window: 500,
    maxMessage: 2 ** 20,
    keepAliveS: 90,
    will: { topic: 'state', payload: 'gone', qos: 1, retain: false },
    reconnect: { minMs: 1000, maxMs: 30000 },
  });
  assert.deepEqual(config.sources.get('d')?.mqtt, {
    url: 'mqtt://broker',
    version: 5,
    topics: ['in/#'],
    qos: 1,
  });
  const { tls, ...mqtt } = config.sinks.get('b')!.mqtt;
  assert.deepEqual(mqtt, {
    url: 'mqtts://broker:8883',
    username: 'us@er',
    password: 'pa/ss',
    version: 4,
    qos: 0,
    clientId: 'gateway-1',
    keepAliveS: 90,
    prefix: 'plant/',
    will: { topic: 'state', payload: 'gone', qos: 0, retain: true },
    window: { messages: 500, bytes: 2 * 2 ** 20 },
    reconnect: { minMs: 1000, maxMs: 30_000 },
  });
  assert.equal(tls?.ca, '-----BEGIN CERTIFICATE-----');
  assert.equal(tls?.servername, 'broker.local');
});

test('routes without a name are called after their sources and never share a name', async () => {
  const { config } = await read(`${SOURCES}
  line2: { modbus: { devices: [ { host: h } ], poll: [ { coils: 1, every: 1s } ] } }
routes:
  - { from: line1, through: [a] }
  - { from: line1, through: [b] }
  - { from: [line1, line2], through: [c] }
  - { name: line1-2, from: line2, through: [d] }
`);
  assert.deepEqual(
    config.routes.map(route => route.name),
    ['line1', 'line1-3', 'line1+line2', 'line1-2'],
  );
});

test('a route without `to` goes to every sink', async () => {
  const { config } = await read(`${SOURCES}
sinks: { a: { mqtt: { url: mqtt://a } }, b: { mqtt: { url: mqtt://b } } }
routes: [ { from: line1, through: [x] } ]
`);
  assert.deepEqual(config.routes[0]?.to, ['a', 'b']);
});

test('paths are relative to the folder of the file', async () => {
  const file = await fileWith('relative.yaml', `plugins: { dir: p }\n${SOURCES}`);
  const { config } = await loadConfig(file, { environment: {} });
  assert.equal(config.plugins.dir, join(folder, 'p'));
  assert.equal(config.data.dir, join(folder, 'data'));
});

test('a byte order mark and Windows line ends change nothing', async () => {
  const file = await fileWith('windows.yaml', `\uFEFF${SOURCES.replaceAll('\n', '\r\n')}`);
  const { config } = await loadConfig(file, { environment: {} });
  assert.deepEqual([...config.sources.keys()], ['line1']);
});

test('a file that is missing, a folder, too large or no text is refused with a code', async () => {
  const cases: [string, string][] = [
    [join(folder, 'missing.yaml'), 'SLUICE_CONFIG_UNREADABLE'],
    [folder, 'SLUICE_CONFIG_UNREADABLE'],
    [await fileWith('large.yaml', '#'.repeat(LARGEST_CONFIG + 1)), 'SLUICE_CONFIG_UNREADABLE'],
    [await fileWith('binary.yaml', Uint8Array.of(0x61, 0xff, 0xfe)), 'SLUICE_CONFIG_SYNTAX'],
  ];
  for (const [file, code] of cases)
    await assert.rejects(loadConfig(file, { environment: {} }), { code }, file);
});

test('breakers: thresholds and pauses are read, a route overrides whenOpen, and a pause beyond the longest is refused', async () => {
  const { config } = await read(`
plugins: { breaker: { faults: 3, rate: 0.2, window: 5s, pause: { max: 500ms }, whenOpen: spool } }
${SOURCES}
routes:
  - { from: line1, through: [a] }
  - { from: line1, through: [a], whenOpen: refuse }
  - { from: line1, through: [a], whenOpen: fail-closed }
`);
  assert.deepEqual(config.plugins.breaker, {
    whenOpen: 'spool',
    limits: {
      faults: 3,
      rate: 0.2,
      slow: 0.5,
      least: 20,
      windowMs: 5000,
      pauseMs: 500,
      longestPauseMs: 500,
    },
  });
  assert.deepEqual(
    config.routes.map(({ whenOpen }) => whenOpen),
    ['spool', 'refuse', 'refuse'],
  );
  await assert.rejects(
    read(`plugins: { breaker: { pause: { min: 2s, max: 1s } } }\n${SOURCES}`),
    /is longer than max/,
  );
});
