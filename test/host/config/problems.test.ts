import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read, SOURCES } from './support.js';

test('each problem names file, line, column and path, what is wrong, and what was probably meant', async () => {
  assert.deepEqual(await problemsOf(`${SOURCES}plugns: {}\n`), [
    'sluice.yaml:3:1: plugns: unknown key; did you mean "plugins"? (SLUICE_CONFIG_INVALID)',
  ]);
});

test('all problems are told at once, in the order of the file', async () => {
  const lines = await problemsOf(`sources:
  line1:
    modbus:
      devices: [ { hosst: plc }, { host: plc, units: 1-300 } ]
      poll: [ { holding: 0-11, evry: 1s }, { coils: 1, input: 2, every: 5 } ]
  good: { modbus: { devices: [ { host: h } ], poll: [ { holding: 9-1, every: 0ms }, { input: 0-200, every: 1s } ] } }
routes:
  - { from: [lin1, good], through: [], to: plnt }
`);
  assert.deepEqual(lines, [
    'sluice.yaml:2:3: warning: sources.line1: no route reads this source: it is not started, unless a plugin takes it by its `accepts` (SLUICE_SOURCE_UNUSED)',
    'sluice.yaml:4:20: sources.line1.modbus.devices[0].hosst: unknown key; did you mean "host"? (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:5:32: sources.line1.modbus.poll[0].evry: unknown key; did you mean "every"? (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:5:44: sources.line1.modbus.poll[1]: needs exactly one of coils, discrete, holding, input (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:5:73: sources.line1.modbus.poll[1].every: must be a duration (such as 100ms, 2s, 1m), but is 5 (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:6:66: sources.good.modbus.poll[0].holding: addresses: "9-1" ends before it begins (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:6:78: sources.good.modbus.poll[0].every: "0ms" is not between 1ms and 2147483647ms (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:6:94: sources.good.modbus.poll[1].input: asks for 201 addresses; one request carries at most 125, so split it (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:8:14: routes[0].from[0]: no source is called "lin1" (there is line1, good); did you mean "line1"? (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:8:36: routes[0].through: is empty (SLUICE_CONFIG_INVALID)',
    'sluice.yaml:8:44: routes[0].to: no sink is called "plnt" (there is none) (SLUICE_CONFIG_INVALID)',
  ]);
});

const CASES: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
  ['an empty file', '', /1:1: is empty.*INVALID/],
  ['a file of comments', '# nothing\n', /is empty.*INVALID/],
  ['a list at the top', '- a\n', /must be a map.*INVALID/],
  ['a text at the top', 'hello', /must be a map.*INVALID/],
  ['a tab as indent', 'sources:\n\tline1: {}\n', /:2:\d+: a tab cannot indent YAML.*SYNTAX/],
  ['a duplicate key', `${SOURCES}${SOURCES}`, /:3:1: this key stands here twice.*SYNTAX/],
  ['a second document', `${SOURCES}---\na: 1\n`, /second document.*SYNTAX/],
  ['an unclosed bracket', 'sources: [', /SYNTAX/],
  [
    'a brace that is closed by nothing',
    'sources:\n  a: { b: { c: 1 }\nsinks: 1\n',
    /^sluice.yaml:3:1: a { before this is not closed by } yet.*SYNTAX\)$/,
  ],
  ['two keys in a line', 'sources: line1: {}\n', /:1:10: a second "key: value" begins.*SYNTAX/],
  ['a key without its colon', 'sources\n  line1: {}\n', /:1:1: a key goes over several lines.*SYNTAX/],
  ['an alias without anchor', 'sources: *nothing\n', /alias \*nothing.*SYNTAX/],
  ['an anchor that contains itself', 'sources: &a { line1: *a }\n', /nested too deep.*SYNTAX/],
  ['an unknown tag', 'sources: !secret x\n', /:1:10: Unresolved tag.*SYNTAX/],
  ['binary data', 'sources: !!binary aGVsbG8=\n', /no plain YAML value.*SYNTAX/],
  ['an infinite number', 'admin: { port: .inf }\n', /finite.*SYNTAX/],
  ['a map as key', 'sources: { ? [a] : 1 }\n', /key has to be plain text.*SYNTAX/],
  ['no sources', 'admin: { port: 1 }\n', /"sources" is missing.*INVALID/],
  ['a section without value', `${SOURCES}sinks:\n`, /:3:7: sinks: must be a map, but has no value/],
  ['a name that is no name', 'sources: { "a/b": {} }\n', /sources\.a\/b: is no usable name/],
  ['the name __proto__', 'sources: { __proto__: {} }\n', /__proto__: is no usable name/],
  [
    'a protocol to come',
    'sources: { a: { driver: {} } }\n',
    /"driver" is not in this version yet; it has modbus, mqtt/,
  ],
  [
    'a sink to come',
    `${SOURCES}sinks: { a: { influx: {} } }\n`,
    /"influx" is not in this version yet; it has mqtt/,
  ],
  [
    'a misspelt rule for signatures',
    `plugins: { signatures: requires }\n${SOURCES}`,
    /must be auto or require or warn or off, but.*did you mean "require"/,
  ],
  [
    'a misspelt choice',
    `plugins: { simd: basline }\n${SOURCES}`,
    /must be none or integer or baseline, but.*did you mean "baseline"/,
  ],
  ['a misspelt protocol', 'sources: { a: { modbsu: {} } }\n', /did you mean "modbus"/],
  ['a wrong port', `admin: { port: 70000 }\n${SOURCES}`, /admin\.port: must be at most 65535, but is 70000/],
  ['a text for a number', `admin: { port: "80" }\n${SOURCES}`, /must be a whole number, but is "80"/],
  ['too much memory', `plugins: { memory: 2GiB }\n${SOURCES}`, /"2GiB" is not between 64KiB and 1GiB/],
  [
    'a plugin list that is a text',
    `${SOURCES}routes: [ { from: line1, through: x } ]\n`,
    /must be a list of plugins/,
  ],
  [
    'a source named twice',
    `${SOURCES}routes: [ { from: [line1, line1], through: [x] } ]\n`,
    /names the same thing twice/,
  ],
  [
    'a route name twice',
    `${SOURCES}routes: [ { name: r, from: line1, through: [x] }, { name: r, from: line1, through: [x] } ]\n`,
    /:3:\d+: routes\[1\]\.name: another route is called "r"/,
  ],
  [
    'a broker address with a path',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtt://h/x } } }\n`,
    /MQTT over TCP has no path/,
  ],
  [
    'a broker address of another kind',
    `${SOURCES}sinks: { a: { mqtt: { url: http://h } } }\n`,
    /must be a broker address/,
  ],
  [
    'a broker address without host',
    `${SOURCES}sinks: { a: { mqtt: { url: "mqtt://" } } }\n`,
    /is no address/,
  ],
  [
    'a prefix with a wildcard',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtt://h, prefix: "a/#" } } }\n`,
    /no topic to publish to/,
  ],
  [
    'tls on a plain connection',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtt://h, tls: {} } } }\n`,
    /only used with mqtts/,
  ],
  [
    'a password alone in 3.1.1',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtt://h, version: 4, password: x } } }\n`,
    /MQTT-3\.1\.2-22/,
  ],
  ['a source without topics', 'sources: { a: { mqtt: { url: mqtt://h } } }\n', /"topics" is missing/],
  [
    'a # in the middle of a topic filter',
    'sources: { a: { mqtt: { url: mqtt://h, topics: [ ok/#, a/#/b ] } } }\n',
    /:1:56: sources\.a\.mqtt\.topics\[1\]: has a # that is not the last level/,
  ],
  [
    'a + within a level of a topic filter',
    'sources: { a: { mqtt: { url: mqtt://h, topics: [ a+ ] } } }\n',
    /has a \+ that does not fill its level alone/,
  ],
  [
    'a shared subscription without a group',
    'sources: { a: { mqtt: { url: mqtt://h, topics: [ $share//a ] } } }\n',
    /needs a name without wildcards behind \$share\//,
  ],
  [
    'a session that is to last without a client id',
    'sources: { a: { mqtt: { url: mqtt://h, topics: [ a ], sessionExpiry: 1h } } }\n',
    /sessionExpiry: is only used with a clientId/,
  ],
  [
    'a message larger than any slab',
    'sources: { a: { mqtt: { url: mqtt://h, topics: [ a ], maxMessage: 1GiB } } }\n',
    /maxMessage: "1GiB" is not between 1B and 31MiB/,
  ],
  [
    'a certificate that is not there',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtts://h, tls: { ca: nowhere.pem } } } }\n`,
    /tls\.ca: the file cannot be read \(ENOENT\).*SECRET/,
  ],
  [
    'reconnect upside down',
    `${SOURCES}sinks: { a: { mqtt: { url: mqtt://h, reconnect: { min: 2s, max: 1s } } } }\n`,
    /is longer than max/,
  ],
  [
    'a device twice',
    'sources: { a: { modbus: { devices: [ { name: n, host: h }, { name: n, host: i } ], poll: [ { coils: 1, every: 1s } ] } } }',
    /"n" stands here twice/,
  ],
  [
    'a unit beyond a byte',
    'sources: { a: { modbus: { devices: [ { host: h, units: 1-300 } ], poll: [ { coils: 1, every: 1s } ] } } }',
    /at most 255/,
  ],
];

for (const [what, text, expected] of CASES) {
  test(`${what} is refused`, async () => {
    assert.match((await problemsOf(text)).join('\n'), expected);
  });
}

test('a file that grows exponentially through aliases is refused soon', async () => {
  const layers = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [above, here] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'].map(
    pair => [...pair] as [string, string],
  )) {
    layers.push(`${here}: &${here} [${Array(10).fill(`*${above}`).join(', ')}]`);
  }
  assert.match((await problemsOf(layers.join('\n'))).join('\n'), /more than 100000 values.*SYNTAX/);
});

test('an anchor may be used again as long as it stays small', async () => {
  const { config } = await read(`sources:
  a: { modbus: &m { devices: [ { host: h } ], poll: [ { coils: 0, every: 1s } ] } }
  b: { modbus: *m }
`);
  assert.deepEqual(config.sources.get('a'), config.sources.get('b'));
});

test('a value that is used through an alias is reported where the alias stands', async () => {
  const lines = await problemsOf('sources:\n  a: &s { modbus: { devices: 5, poll: 5 } }\n  b: *s\n');
  assert.ok(
    lines.some(line => line.startsWith('sluice.yaml:3:6: sources.b.modbus.devices:')),
    lines.join('\n'),
  );
});

test('a source or sink that no route uses is a warning, not an error', async () => {
  const { warnings } = await read(`${SOURCES}
  line2: { modbus: { devices: [ { host: h } ], poll: [ { coils: 0, every: 1s } ] } }
sinks: { used: { mqtt: { url: mqtt://a } }, idle: { mqtt: { url: mqtt://b } } }
routes: [ { from: line1, through: [x], to: used } ]
`);
  assert.deepEqual(
    warnings.map(({ path, text, severity, code }) => [severity, path, code, text.split(':')[0]]),
    [
      ['warning', 'sources.line2', 'SLUICE_SOURCE_UNUSED', 'no route reads this source'],
      ['warning', 'sinks.idle', 'SLUICE_CONFIG_INVALID', 'no route writes to this sink'],
    ],
  );
});

test('a plugin that is nearly there is an error with the name that was meant', async () => {
  const text = `${SOURCES}routes: [ { from: line1, through: [ modbus-jsn, { plugin: modbus-json } ] } ]\n`;
  assert.deepEqual(await problemsOf(text, { pluginNames: async () => ['modbus-json'] }), [
    'sluice.yaml:3:37: routes[0].through[0]: the plugin folder has no plugin "modbus-jsn"; did you mean "modbus-json"? (SLUICE_PLUGIN_UNKNOWN)',
  ]);
});

test('a plugin with a name like one that is there keeps no gateway from starting, and press-2 is no misspelt press-1', async () => {
  const text = `${SOURCES}routes: [ { from: line1, through: [ press-2, modbus-jsn ] } ]\n`;
  const pluginNames = async () => ['press-1', 'press', 'modbus-json'];
  const { warnings } = await read(text, { pluginNames, misspelt: 'warning' });
  assert.deepEqual(
    warnings.map(({ code, suggestion }) => [code, suggestion]),
    [
      ['SLUICE_PLUGIN_UNKNOWN', undefined],
      ['SLUICE_PLUGIN_UNKNOWN', 'modbus-json'],
    ],
  );
});

test('a plugin that is not there at all may still be dropped in, so it is a warning', async () => {
  const text = `${SOURCES}routes: [ { from: line1, through: [ brand-new ] } ]\n`;
  const { warnings } = await read(text, { pluginNames: async () => ['modbus-json'] });
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['SLUICE_PLUGIN_UNKNOWN'],
  );
});
