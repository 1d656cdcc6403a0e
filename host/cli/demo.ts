import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { SluiceError } from '../../runtime/index.js';
import { compileSooner, letYoungSpaceGrow } from '../../sandbox/index.js';
import { startBroker } from '../broker/broker.js';
import { readConfig } from '../config/load.js';
import { parseDuration } from '../config/units.js';
import { Happenings } from '../demo/happenings.js';
import { LiveTable } from '../demo/live.js';
import { startPlc } from '../demo/plc.js';
import { PluginDrop } from '../demo/plugin-drop.js';
import { copyPlugins, PLUGIN } from '../demo/plugins.js';
import { BLOCK, EVERY_MS, FEATURES, RATE, startPump } from '../demo/pump.js';
import { Witness } from '../demo/witness.js';
import { Gateway } from '../gateway.js';
import { createLog, type Log } from '../telemetry/log.js';
import { untilSignal } from './signals.js';

export interface DemoOptions {
  readonly for?: string;
  readonly json?: boolean;
}

const LINE = 'line1';
const UNITS = [1, 2, 3, 4];
const PUMP = 'pump1';
/** Messages of each source are shown at most this often, or nobody could read them. */
const SHOW_EVERY_MS = 400;

/**
 * A simulated PLC on Modbus TCP, a simulated vibration sensor on CoAP, an embedded broker, the gateway between them, and a
 * subscriber that counts. Everything is real but the devices' readings, and all of it lives on loopback and in a temporary
 * folder.
 */
export async function demo(options: DemoOptions): Promise<void> {
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && forMs === undefined) {
    throw new SluiceError('SLUICE_CONFIG_INVALID', `--for ${options.for} is no duration; write 10s or 2m`);
  }
  const say = (line: string): void =>
    void (options.json === true ? process.stderr : process.stdout).write(`${line}\n`);
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const broker = await startBroker({ host: '127.0.0.1', port: 0 });
  parts.defer(() => broker.stop());
  const plc = await startPlc(LINE, UNITS);
  parts.defer(() => plc.stop());
  const pump = await startPump(`${PUMP}/vibration`);
  parts.defer(() => pump.stop());
  const devices = [plc, pump];
  const witness = await Witness.start(broker.port, devices);
  parts.defer(() => witness.close());
  const ports = { plc: plc.port, pump: pump.port, broker: broker.port };
  const { config } = await readConfig(configOf(folder, ports), join(folder, 'sluice.yaml'), {
    environment: {},
  });
  await copyPlugins(config.plugins.dir);
  const live = options.json !== true && process.stdout.isTTY && process.stdin.isTTY;
  const happenings = new Happenings();
  const gateway = new Gateway(config, { log: logFor(live ? happenings : undefined) });
  parts.defer(() => gateway.stop());
  await gateway.start();
  letYoungSpaceGrow();
  compileSooner();
  const places = [
    ['plugins', `${config.plugins.dir} (copy another version there: it is swapped)`],
    ['broker', `mqtt://127.0.0.1:${broker.port} (try: mosquitto_sub -p ${broker.port} -t '#' -v)`],
    [
      'devices',
      `simulated: PLC on modbus tcp 127.0.0.1:${plc.port}, units ${UNITS.join(', ')}, polled every 50 ms; vibration sensor on coap 127.0.0.1:${pump.port}, a block every ${EVERY_MS} ms`,
    ],
    ['metrics', `http://127.0.0.1:${gateway.adminPort}/metrics`],
  ] as const;
  if (live) {
    const { stdin: input, stdout: output } = process;
    const file = `${PLUGIN}.wasm`;
    const drop = new PluginDrop(config.plugins.dir, file, await readFile(join(config.plugins.dir, file)));
    const table = new LiveTable({
      gateway,
      devices,
      witness,
      drop,
      happenings,
      places,
      input,
      output,
    });
    parts.defer(() => table.stop());
    // A timer that nobody waits for any more must not keep the process.
    const over = forMs === undefined ? [] : [setTimeout(forMs, undefined, { ref: false })];
    await Promise.race([untilSignal(), table.quit, ...over]);
    await table.stop();
  } else {
    for (const [name, place] of places) say(`${name.padEnd(9)}${place}`);
    say(forMs === undefined ? 'Ctrl-C ends the demo.' : `ends after ${options.for}.`);
    const shown = new Map<string, number>();
    witness.onMessage = ({ topic, payload }) => {
      const source = topic.split('/', 1).join();
      const now = performance.now();
      if (now - (shown.get(source) ?? 0) < SHOW_EVERY_MS) return;
      shown.set(source, now);
      say(`${topic}  ${payload}`);
    };
    await untilSignal(forMs);
  }
  await gateway.stop();
  await witness.caughtUp();
  const summary = await summarise(gateway, witness);
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else {
    const { framesIn, messagesOut, lost, duplicated, faults, p50Ms, p99Ms } = summary;
    say(
      `${framesIn} frames in, ${messagesOut} messages out, ${lost} lost, ${duplicated} duplicated, ${faults} faults; device to subscriber p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
    );
  }
}

/** The live table has the screen to itself: what the gateway logs becomes its events. */
function logFor(happenings: Happenings | undefined): Log {
  if (happenings === undefined) {
    return createLog(
      process.env.SLUICE_LOG === undefined ? { environment: { ...process.env, SLUICE_LOG: 'warn' } } : {},
    );
  }
  return createLog({
    environment: { SLUICE_LOG: 'info' },
    pretty: false,
    write: line => happenings.fromLog(line),
  });
}

async function summarise(gateway: Gateway, witness: Witness) {
  const metrics = await gateway.metrics.render();
  const sum = (name: string): number =>
    metrics
      .split('\n')
      .filter(line => line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const refused = sum('sluice_frames_refused_total');
  const round = (ms: number): number => Math.round(ms * 100) / 100;
  return {
    framesIn: sum('sluice_frames_total'),
    messagesOut: witness.messages,
    // A frame that a plugin refused is answered for, by its error.
    lost: Math.max(0, witness.lost - refused),
    duplicated: witness.duplicated,
    // A trap over a frame is in both counts.
    faults: Math.max(sum('sluice_plugin_faults_total'), refused) + witness.unreadable,
    p50Ms: round(witness.latency(0.5)),
    p99Ms: round(witness.latency(0.99)),
  };
}

function configOf(folder: string, ports: { plc: number; pump: number; broker: number }): string {
  return `
plugins: { dir: ${JSON.stringify(join(folder, 'plugins'))}, signatures: off }
sources:
  ${LINE}:
    modbus:
      devices: [ { host: 127.0.0.1, port: ${ports.plc}, units: 1-${UNITS.length} } ]
      poll: [ { holding: 0-11, every: 50ms } ]
  ${PUMP}:
    coap:
      devices: [ { host: 127.0.0.1, port: ${ports.pump} } ]
      poll: [ { path: vibration, every: ${EVERY_MS}ms } ]
sinks:
  plant: { mqtt: { url: "mqtt://127.0.0.1:${ports.broker}", version: 4, qos: 1 } }
routes:
  - from: ${LINE}
    through:
      - plugin: modbus-json
        config:
          tags:
            - { name: sequence, register: 0, type: u32 }
            - { name: temperature, register: 2, type: i16, scale: 0.1, unit: "°C" }
            - { name: pressure, register: 3, type: u16, scale: 0.01, unit: bar }
            - { name: speed, register: 4, type: u16, unit: rpm }
    to: [ plant ]
  - from: ${PUMP}
    through:
      - plugin: features
        config: { input: f32, channels: 2, rate: ${RATE}, window: ${BLOCK}, features: [ ${FEATURES.join(', ')} ] }
      - block-json
    to: [ plant ]
data: { dir: ${JSON.stringify(join(folder, 'data'))} }
admin: { host: 127.0.0.1, port: 0 }
`;
}
