import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CountingPlc, RestartableBroker, Waiting } from '../../support/devices/gateway-peers.js';
import { guestFile, type LogLine, modbus, mqtt, tempFolder } from '../../support/gateway/gateway-rig.js';
import { TestServer } from '../../support/mqtt/mqtt-server.js';
import { sluiceProcess } from './support.js';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));

/** `sluice start` in a process of its own. */
class Started extends Waiting {
  readonly child: ChildProcess;
  log = '';

  constructor(folder: string) {
    super();
    this.child = spawn(process.execPath, [ENTRY, 'start'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', chunk => {
        this.log += String(chunk);
        this.changed();
      });
    }
  }

  said(text: string): Promise<void> {
    return this.until(
      () =>
        `"${text}" in ${JSON.stringify(this.log)}, ended by ${this.child.exitCode ?? this.child.signalCode}`,
      () => this.log.includes(text),
    );
  }

  get complaints(): LogLine[] {
    const lines = this.log.split('\n').filter(line => line.startsWith('{'));
    return lines
      .map(line => JSON.parse(line) as LogLine)
      .filter(({ level }) => level === 'warn' || level === 'error');
  }

  /** Exit code or signal. */
  async ended(): Promise<number | string> {
    const [code, signal] =
      this.child.exitCode === null && this.child.signalCode === null
        ? await once(this.child, 'exit')
        : [this.child.exitCode, this.child.signalCode];
    return code ?? signal;
  }
}

async function folderWith(t: TestContext, config: Record<string, unknown>): Promise<string> {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'plugins'));
  await copyFile(guestFile('modbus-json'), join(folder, 'plugins', 'modbus-json.wasm'));
  await writeFile(
    join(folder, 'sluice.yaml'),
    JSON.stringify({ admin: { port: 0 }, plugins: { signatures: 'off' }, ...config }),
  );
  return folder;
}

async function startIn(t: TestContext, config: Record<string, unknown>): Promise<Started> {
  const started = new Started(await folderWith(t, config));
  t.after(() => void started.child.kill('SIGKILL'));
  await started.said('sluice runs');
  return started;
}

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];
const LEFT_OUT = ['SLUICE_SOURCE_BACKPRESSURE', 'SLUICE_SOURCE_OVERRUN', 'SLUICE_SOURCE_LATE'];

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} under load ends with 0 within seconds, and all that was polled is at the broker`, async t => {
    const plc = await CountingPlc.start();
    t.after(() => plc.stop());
    const broker = await new RestartableBroker().start();
    t.after(() => broker.stop());
    const started = await startIn(t, {
      // A busy machine must not look like a slow plugin or device.
      plugins: { signatures: 'off', deadline: '10s' },
      sources: { line1: modbus(plc.port, { every: '1ms', units: '1-8', timeout: '30s' }) },
      sinks: { plant: mqtt(broker.port) },
      routes: ROUTES,
    });
    await broker.atLeast(500);
    const began = performance.now();
    started.child.kill(signal);
    assert.equal(await started.ended(), 0);
    assert.ok(performance.now() - began < 10_000);
    for (let unit = 1; unit <= 8; unit++) {
      assert.deepEqual([broker.missing(`line1/${unit}`), broker.repeated(`line1/${unit}`)], [[], []]);
    }
    // What the gateway had asked for when it closed the connection was answered to nobody: 4 are in flight.
    assert.ok(plc.replies - broker.messages <= 4, `${plc.replies} replies, ${broker.messages} messages`);
    // As many polls are asked for as this machine can do, and more: some may be left out, and that is said.
    assert.deepEqual(
      started.complaints.filter(({ code }) => !LEFT_OUT.includes(String(code))),
      [],
    );
    assert.match(started.log, /"msg":"stopped"/);
  });
}

test('a source that no route reads is said once at the start, and not by the configuration too', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const sources = { line1: modbus(plc.port), line2: modbus(plc.port) };
  const started = await startIn(t, { sources, routes: ROUTES });
  started.child.kill('SIGTERM');
  assert.equal(await started.ended(), 0);
  const lines = started.complaints.filter(({ msg }) => msg.includes('no route reads'));
  assert.deepEqual(
    lines.map(({ code, source }) => [code, source]),
    [['SLUICE_SOURCE_UNUSED', 'line2']],
  );
});

test('a signal while it still starts ends it in order too', async t => {
  const folder = await folderWith(t, {
    sinks: { plant: mqtt(1) },
    sources: { line1: modbus(1) },
    routes: ROUTES,
  });
  const started = new Started(folder);
  t.after(() => void started.child.kill('SIGKILL'));
  // Data, sinks and admin API are there, the plugin is not yet.
  await started.said('admin API was made');
  started.child.kill('SIGTERM');
  assert.equal(await started.ended(), 0);
  assert.match(started.log, /"msg":"stopped"/);
});

test('a second signal while it stops ends it at once', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  // Never confirms, so the stop waits for its whole patience.
  server.behaviour.puback = () => 'none';
  const started = await startIn(t, {
    sources: { line1: modbus(plc.port) },
    sinks: { plant: mqtt(server.port) },
    routes: ROUTES,
  });
  await server.until(() => server.published.length > 10);
  started.child.kill('SIGTERM');
  await started.said('a second signal ends at once');
  started.child.kill('SIGINT');
  assert.equal(await started.ended(), 'SIGINT');
  assert.doesNotMatch(started.log, /"msg":"stopped"/, 'it did not wait for its patience, five seconds');
});

test('after a kill -9 it starts again in the same folder and goes on', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const folder = await folderWith(t, {
    sources: { line1: modbus(plc.port) },
    sinks: { plant: mqtt(broker.port) },
    routes: ROUTES,
  });
  for (let round = 0; round < 2; round++) {
    const started = new Started(folder);
    t.after(() => void started.child.kill('SIGKILL'));
    await broker.atLeast(broker.messages + 20);
    started.child.kill('SIGKILL');
    assert.equal(await started.ended(), 'SIGKILL');
  }
});

test('a port in use ends it with 1, one line that names it and one that says what to do', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const folder = await folderWith(t, {
    admin: { port },
    sources: { line1: modbus(1) },
    sinks: { plant: mqtt(1) },
    routes: ROUTES,
  });
  const { code, stdout, stderr } = await sluiceProcess(['start'], { cwd: folder });
  assert.deepEqual([code, stdout], [1, '']);
  const lines = stderr
    .trim()
    .split('\n')
    .filter(line => !line.startsWith('{'));
  assert.equal(lines.length, 2, stderr);
  assert.match(
    lines[0]!,
    new RegExp(`^sluice: admin: cannot listen on 127\\.0\\.0\\.1:${port}.*\\(SLUICE_LISTEN_IN_USE\\)$`),
  );
  assert.match(lines[1]!, /choose another port/);
});

test('a bad configuration ends it with 78 and file:line:column lines, and nothing is made', async t => {
  const folder = await tempFolder(t);
  const text =
    'sources:\n  line1: { modbus: { devices: [ { host: a, prot: 502 } ], poll: [] } }\nroute: []\n';
  await writeFile(join(folder, 'sluice.yaml'), text);
  const { code, stderr } = await sluiceProcess(['start'], { cwd: folder });
  assert.equal(code, 78);
  assert.match(stderr, /sluice\.yaml:2:\d+: .*prot.*did you mean "port"\?/);
  assert.match(stderr, /sluice\.yaml:3:1: .*route.*did you mean "routes"\?/);
  assert.deepEqual(await readdir(folder), ['sluice.yaml']);
});

test('a configuration that is not there ends it with 78 and names the file', async t => {
  const { code, stderr } = await sluiceProcess(['start', '-c', 'nothing.yaml'], { cwd: await tempFolder(t) });
  assert.equal(code, 78);
  assert.match(stderr, /nothing\.yaml.*\(SLUICE_CONFIG_UNREADABLE\)/);
});
