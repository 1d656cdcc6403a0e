import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from '../../../host/config/load.js';
import { problemsOf, read, SOURCES } from './support.js';

const SINK = 'sinks: { plant: { mqtt: { url: "mqtt://a" } } }\n';
const folder = await mkdtemp(join(tmpdir(), 'sluice-secret-'));
after(() => rm(folder, { recursive: true }));

test('variables go over the file, whatever their capitals and underscores', async () => {
  const { config } = await read(`${SOURCES}${SINK}`, {
    environment: {
      SLUICE__PLUGINS__DEADLINE: '50ms',
      SLUICE__PLUGINS__START_DEADLINE: '1s',
      SLUICE__ADMIN__PORT: '9000',
      SLUICE__SOURCES__LINE1__MODBUS__DEVICES__0__PORT: '1502',
      SLUICE__SINKS__PLANT__MQTT__VERSION: '4',
      SLUICE__SINKS__PLANT__MQTT__PASSWORD: '12345',
      SLUICE__SINKS__PLANT__MQTT__USERNAME: 'u',
      SLUICE_LOG: 'debug',
    },
  });
  assert.equal(config.plugins.deadlineMs, 50);
  assert.equal(config.plugins.startDeadlineMs, 1000);
  assert.equal(config.admin.port, 9000);
  assert.equal(config.sources.get('line1')?.modbus?.devices[0]?.port, 1502);
  assert.equal(config.sinks.get('plant')?.mqtt.version, 4);
  assert.equal(config.sinks.get('plant')?.mqtt.password, '12345');
});

test('a variable may hold a list or a map, and may make what the file does not have', async () => {
  const { config } = await read(SOURCES, {
    environment: {
      SLUICE__SINKS__NORTH__MQTT__URL: 'mqtt://north',
      SLUICE__ROUTES: '[{ from: line1, through: [x] }]',
      SLUICE__SOURCES__LINE1__MODBUS__POLL__1: '{ coils: 0-7, every: 1s }',
    },
  });
  assert.deepEqual(config.routes[0]?.to, ['north']);
  assert.deepEqual(config.sources.get('line1')?.modbus?.poll[1], {
    coils: { first: 0, last: 7 },
    everyMs: 1000,
  });
});

test('a whole configuration may come from the environment', async () => {
  const { config } = await read('', {
    environment: {
      SLUICE__SOURCES__A__MODBUS__DEVICES__0__HOST: 'plc',
      SLUICE__SOURCES__A__MODBUS__POLL__0__HOLDING: '0-3',
      SLUICE__SOURCES__A__MODBUS__POLL__0__EVERY: '1s',
    },
  });
  assert.equal(config.sources.get('a')?.modbus?.devices[0]?.host, 'plc');
});

test('what is wrong in a variable is reported by its name', async () => {
  const lines = await problemsOf(SOURCES, {
    environment: { SLUICE__ADMIN__PROT: '1', SLUICE__PLUGINS__DEADLINE: 'soon', SLUICE____X: '1' },
  });
  assert.ok(
    lines.some(line =>
      /^environment variable SLUICE__ADMIN__PROT: admin\.prot: unknown key; did you mean "port"/.test(line),
    ),
  );
  assert.ok(
    lines.some(line => /^environment variable SLUICE__PLUGINS__DEADLINE: .*must be a duration/.test(line)),
  );
  assert.ok(lines.some(line => /^environment variable SLUICE____X: .*empty part/.test(line)));
});

test('a variable that points into a value or past a list is refused', async () => {
  const lines = await problemsOf(SOURCES, {
    environment: {
      SLUICE__SOURCES__LINE1__MODBUS__DEVICES__5__HOST: 'x',
      SLUICE__SOURCES__LINE1__MODBUS__DEVICES__0__HOST__X: 'x',
    },
  });
  assert.match(lines.join('\n'), /DEVICES__5__HOST: .*next free one is 1/);
  assert.match(lines.join('\n'), /HOST__X: .*no map or list/);
});

test('secrets are put in from files and variables, in the middle of a text and as a whole', async () => {
  await writeFile(join(folder, 'password'), 'pa$$word\n');
  const text = `${SOURCES}
sinks:
  plant: { mqtt: { url: "mqtt://\${env:HOST}:1883", username: u, password: "\${file:password}" } }
admin: { port: "\${env:PORT}" }
routes: [ { from: line1, through: [ { plugin: p, config: { token: "\${env:TOKEN}", text: "$\${env:TOKEN}" } } ] } ]
`;
  const environment = { HOST: 'broker', PORT: '9001', TOKEN: '7' };
  const { config } = await readConfig(text, join(folder, 'sluice.yaml'), { environment });
  assert.equal(config.sinks.get('plant')?.mqtt.url, 'mqtt://broker:1883');
  assert.equal(config.sinks.get('plant')?.mqtt.password, 'pa$$word');
  assert.equal(config.admin.port, 9001);
  assert.deepEqual(JSON.parse(config.routes[0]!.through[0]!.config).text, '$'.concat('{env:TOKEN}'));
});

test('a secret that cannot be resolved is one coded problem at its place', async () => {
  const text = `${SOURCES}sinks: { a: { mqtt: { url: "\${env:BROKR}", password: "\${file:nowhere}", clientId: "\${fiel:x}" } } }\n`;
  const lines = await problemsOf(text, { environment: { BROKER: 'mqtt://a' } });
  assert.equal(lines.length, 3, lines.join('\n'));
  assert.match(
    lines[0]!,
    /^sluice\.yaml:3:28: sinks\.a\.mqtt\.url: .*BROKR is not set; did you mean "BROKER"\? \(SLUICE_CONFIG_SECRET\)/,
  );
  assert.match(lines[1]!, /password: .*nowhere cannot be read \(ENOENT\) \(SLUICE_CONFIG_SECRET\)/);
  assert.match(lines[2]!, /did you mean "file"/);
});

test('the value of a secret is never printed', async () => {
  const text = `${SOURCES}sinks: { a: { mqtt: { url: "\${env:URL}", version: 4, password: [hunter2] } } }\n`;
  const lines = await problemsOf(text, { environment: { URL: 'http://u:hunter2@broker' } });
  assert.ok(lines.length >= 2);
  assert.doesNotMatch(lines.join('\n'), /hunter2/);
});
