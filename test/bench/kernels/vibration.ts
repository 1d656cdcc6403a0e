import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { BLOCK_FRAMES, RATE, recording } from '../../../scripts/vibration/recording.js';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { cpuOf } from '../gateway/cpu.js';
import { progress, type Table } from '../report.js';
import { median, rounded } from '../stats.js';

const SENSORS = 16;
const AXES = 3;
const [SIZE, HOP] = [4096, 2048];
const ROUNDS = 5;
/** Of each sensor, in a round. */
const BLOCKS = 30;
const PACED_SECONDS = 5;
const PATIENCE_MS = 60_000;

const READ = { size: SIZE, hop: HOP, input: 'i16', channels: AXES, rate: RATE };
const BANDS = {
  bands: [
    [10, 200],
    [200, 2000],
    [2000, 5000],
  ],
  output: 'rms',
};
/** The same messages: plugins one behind the other, and all kernels in one module. */
const CHAINS = {
  'four plugins': [
    { plugin: 'vibration-window', config: READ },
    { plugin: 'fft', config: { size: SIZE } },
    { plugin: 'band-power', config: { size: SIZE, ...BANDS } },
    'block-json',
  ],
  'one module': [{ plugin: 'vibration', config: { ...READ, ...BANDS } }, 'block-json'],
} as const;
const PLUGINS = ['vibration-window', 'fft', 'band-power', 'vibration', 'block-json'];

export interface EndToEnd {
  /** 16-bit samples from the broker's socket to messages at the broker, where no more goes through. */
  readonly samplesPerSecond: number;
  /** Processor time of the gateway a sample, there. */
  readonly nanosecondsASample: number;
  /** Of one core: all threads of the gateway, at 16 sensors of 3 axes in real time. */
  readonly shareOfCore: number;
}

export const NO_BROKER =
  'SKIPPED: vibration from socket to MQTT. There is no mosquitto: apt-get install mosquitto';

/** Sixteen sensors of three axes at 25.6 kHz through a gateway; undefined without a broker. */
export async function vibration(): Promise<Readonly<Record<string, EndToEnd>> | undefined> {
  if (!existsSync('/usr/sbin/mosquitto')) return undefined;
  const blocks = [...recording(3, 1)];
  const results: Record<string, EndToEnd> = {};
  for (const [name, through] of Object.entries(CHAINS)) results[name] = await run(name, through, blocks);
  return results;
}

async function run(name: string, through: readonly unknown[], blocks: readonly Buffer[]): Promise<EndToEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
  const gateway = new Program(process.execPath, await prepare(folder, broker.port, through));
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  try {
    await gateway.said(/sluice runs/);
    await broker.listens('raw/');
    const sensors = await Sensors.at(client, blocks);
    const pid = gateway.child.pid ?? -1;
    const rounds: { rate: number; cpu: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const [began, before] = [performance.now(), cpuOf(pid)];
      sensors.publish(BLOCKS);
      await sensors.drained();
      const samples = BLOCKS * SENSORS * BLOCK_FRAMES * AXES;
      const seconds = (performance.now() - began) / 1000;
      // The first is for warm code.
      if (round > 0) rounds.push({ rate: samples / seconds, cpu: ((cpuOf(pid) - before) * 1000) / samples });
    }
    const [began, before] = [performance.now(), cpuOf(pid)];
    for (let block = 0; block < (PACED_SECONDS * RATE) / BLOCK_FRAMES; block++) {
      await sleep(Math.max(0, began + (block * BLOCK_FRAMES * 1000) / RATE - performance.now()));
      sensors.publish(1);
    }
    await sensors.drained();
    const share = (cpuOf(pid) - before) / 1000 / (performance.now() - began);
    const samplesPerSecond = median(rounds.map(({ rate }) => rate));
    progress(
      `vibration, ${name}: ${(samplesPerSecond / 1e6).toFixed(1)} M samples/s, ${(share * 100).toFixed(0)} % of a core`,
    );
    return {
      samplesPerSecond: rounded(samplesPerSecond),
      nanosecondsASample: rounded(median(rounds.map(({ cpu }) => cpu))),
      shareOfCore: rounded(share),
    };
  } finally {
    await client.endAsync(true);
    await gateway.stop();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Publishes for all sensors in turns, and counts the windows that come back. */
class Sensors {
  readonly #client: MqttClient;
  readonly #blocks: readonly Buffer[];
  #sent = 0;
  #windows = 0;

  private constructor(client: MqttClient, blocks: readonly Buffer[]) {
    this.#client = client;
    this.#blocks = blocks;
  }

  static async at(client: MqttClient, blocks: readonly Buffer[]): Promise<Sensors> {
    const sensors = new Sensors(client, blocks);
    client.on('message', (_topic, payload) => {
      const { values, channels } = JSON.parse(payload.toString()) as { values: unknown[]; channels: number };
      sensors.#windows += values.length / channels;
    });
    await client.subscribeAsync('out/#');
    return sensors;
  }

  publish(blocks: number): void {
    for (let i = 0; i < blocks; i++, this.#sent++) {
      const block = this.#blocks[this.#sent % this.#blocks.length]!;
      for (let sensor = 0; sensor < SENSORS; sensor++) this.#client.publish(`raw/${sensor}`, block);
    }
  }

  /** Every window of what was published has come back. @throws Error not within a minute, or too many */
  async drained(): Promise<void> {
    const due = (Math.floor((this.#sent * BLOCK_FRAMES - SIZE) / HOP) + 1) * SENSORS;
    for (const end = performance.now() + PATIENCE_MS; this.#windows < due; await sleep(2))
      if (performance.now() > end) throw new Error(`${this.#windows} of ${due} windows came back`);
    if (this.#windows > due) throw new Error(`${this.#windows} windows came back, and ${due} were due`);
  }
}

async function prepare(folder: string, port: number, through: readonly unknown[]): Promise<string[]> {
  const plugins = join(folder, 'plugins');
  await mkdir(plugins);
  for (const name of PLUGINS)
    await copyFile(
      fileURLToPath(new URL(`../../../plugins/${name}.wasm`, import.meta.url)),
      join(plugins, `${name}.wasm`),
    );
  const url = `mqtt://127.0.0.1:${port}`;
  const config = {
    plugins: { dir: plugins },
    sources: { sensors: { mqtt: { url, version: 4, topics: ['raw/#'], qos: 0 } } },
    sinks: { plant: { mqtt: { url, version: 4, qos: 0, prefix: 'out/' } } },
    routes: [{ from: 'sensors', through, to: 'plant' }],
    data: { dir: join(folder, 'data') },
    admin: { port: 0 },
  };
  const path = join(folder, 'sluice.yaml');
  await writeFile(path, JSON.stringify(config));
  return [fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url)), 'start', '--config', path];
}

export function vibrationTable(results: Readonly<Record<string, EndToEnd>>): Table {
  return {
    head: ['vibration, socket to MQTT', 'M samples/s', 'ns a sample', 'of a core, 16 sensors'],
    rows: Object.entries(results).map(([name, { samplesPerSecond, nanosecondsASample, shareOfCore }]) => [
      name,
      (samplesPerSecond / 1e6).toFixed(2),
      nanosecondsASample.toFixed(0),
      `${(shareOfCore * 100).toFixed(0)} %`,
    ]),
  };
}
