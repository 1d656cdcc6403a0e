import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { type Certificates, makeCertificates, type Pair } from './certificates.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub, publishLines } from './mosquitto-clients.js';
import { runProgram } from './program.js';
import { floor } from './sources.js';

const ECHO = [{ from: 'floor', through: ['echo'] }];
const LINES = Array.from({ length: 300 }, (_, i) => `line ${i}`);

async function secureBroker(t: TestContext): Promise<{ broker: Mosquitto; made: Certificates }> {
  const folder = await tempFolder(t);
  const made = await makeCertificates(folder);
  const broker = await Mosquitto.start(folder, [
    'allow_anonymous true',
    `cafile ${made.ca}`,
    `certfile ${made.server.cert}`,
    `keyfile ${made.server.key}`,
    'require_certificate true',
  ]);
  t.after(() => broker.stop());
  return { broker, made };
}

/** The gateway's own words for a connection over TLS. */
function over(broker: Mosquitto, ca: string, { cert, key }: Pair): Record<string, unknown> {
  return { url: `mqtts://localhost:${broker.port}`, tls: { ca, cert, key } };
}

for (const version of [4, 5] as const) {
  test(`over TLS with client certificates, mosquitto is source and sink (MQTT ${version === 4 ? '3.1.1' : '5.0'})`, async t => {
    const { broker, made } = await secureBroker(t);
    const { ca, client } = made;
    const tls = ['--cafile', ca, '--cert', client.cert, '--key', client.key, '-h', 'localhost'];
    const witness = await MosquittoSub.start(broker.port, 'out/#', tls);
    t.after(() => witness.stop());
    await startGateway(
      t,
      {
        sources: { floor: floor(broker.port, { version, ...over(broker, ca, client) }) },
        sinks: { plant: mqtt(broker.port, { version, prefix: 'out/', ...over(broker, ca, client) }) },
        routes: ECHO,
      },
      ['echo'],
    );
    await broker.subscribed('floor');
    await publishLines(broker.port, 'in/x', LINES, tls);
    await witness.atLeast(LINES.length);
    assert.deepEqual(witness.texts, LINES);
  });
}

test('a client certificate of an authority that the broker does not know is refused, and that is said', async t => {
  const { broker, made } = await secureBroker(t);
  const rig = await startGateway(
    t,
    {
      sources: { floor: floor(broker.port, over(broker, made.ca, made.stranger)) },
      sinks: { plant: mqtt(broker.port, over(broker, made.ca, made.client)) },
      routes: ECHO,
    },
    ['echo'],
  );
  const line = await rig.book.line('SLUICE_SOURCE_DISCONNECTED', { source: 'floor' });
  assert.match(line.msg, /unknown ca|certificate|alert/i);
});

test('a broker whose certificate is of an unknown authority is not talked to, by source or sink', async t => {
  const { broker, made } = await secureBroker(t);
  const rig = await startGateway(
    t,
    {
      sources: { floor: floor(broker.port, over(broker, made.stranger.cert, made.client)) },
      sinks: { plant: mqtt(broker.port, over(broker, made.stranger.cert, made.client)) },
      routes: ECHO,
    },
    ['echo'],
  );
  for (const [code, end] of [
    ['SLUICE_SOURCE_DISCONNECTED', { source: 'floor' }],
    ['SLUICE_SINK_DISCONNECTED', { sink: 'plant' }],
  ] as const) {
    const line = await rig.book.line(code, end);
    assert.match(line.msg, /certificate/i);
  }
  assert.doesNotMatch(broker.log, /New client connected/);
});

/** A broker that wants a password: `line7` and `right`. */
async function guardedBroker(t: TestContext): Promise<Mosquitto> {
  const folder = await tempFolder(t);
  const file = join(folder, 'passwords');
  await writeFile(file, 'line7:right\n');
  await runProgram('/usr/bin/mosquitto_passwd', ['-U', file]);
  await chmod(file, 0o600);
  const broker = await Mosquitto.start(folder, ['allow_anonymous false', `password_file ${file}`]);
  t.after(() => broker.stop());
  return broker;
}

for (const version of [4, 5] as const) {
  const name = version === 4 ? '3.1.1' : '5.0';
  test(`user name and password are taken by mosquitto, for source and sink (MQTT ${name})`, async t => {
    const broker = await guardedBroker(t);
    const who = { username: 'line7', password: 'right' };
    const login = ['-u', 'line7', '-P', 'right'];
    const witness = await MosquittoSub.start(broker.port, 'out/#', login);
    t.after(() => witness.stop());
    await startGateway(
      t,
      {
        sources: { floor: floor(broker.port, { version, ...who }) },
        sinks: { plant: mqtt(broker.port, { version, prefix: 'out/', ...who }) },
        routes: ECHO,
      },
      ['echo'],
    );
    await broker.subscribed('floor');
    await publishLines(broker.port, 'in/x', LINES, login);
    await witness.atLeast(LINES.length);
    assert.deepEqual(witness.texts, LINES);
  });

  test(`a wrong password is told apart from a broker that is away, for source and sink (MQTT ${name})`, async t => {
    const broker = await guardedBroker(t);
    const who = { version, username: 'line7', password: 'wrong' };
    const rig = await startGateway(
      t,
      {
        sources: { floor: floor(broker.port, who) },
        sinks: { plant: mqtt(broker.port, who) },
        routes: ECHO,
      },
      ['echo'],
    );
    for (const [code, end] of [
      ['SLUICE_SOURCE_REFUSED', { source: 'floor' }],
      ['SLUICE_SINK_REFUSED', { sink: 'plant' }],
    ] as const) {
      const line = await rig.book.line(code, end);
      assert.match(line.msg, /not authori[sz]ed|password/i);
      assert.doesNotMatch(line.msg, /wrong/);
    }
  });
}
