import { setTimeout as sleep } from 'node:timers/promises';
import { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';
import type { Ends, Published } from '../ends/ends.js';
import { Inlined } from './inlined.js';
import type { Path } from './path.js';
import { Sandboxed } from './sandboxed.js';

export const DEVICES = 16;
export const UNITS = 16;
const NAME = 'line1';
const WARM_MS = 1000;

/** One run: what the time that was looked at has cost. */
export interface Run {
  /** Processor time of this process, all threads, microseconds a message. */
  readonly cpu: number;
  /** Messages a second. */
  readonly rate: number;
  /** Share of the time that the host's thread was busy. */
  readonly busy: number;
  readonly missed: number;
  readonly frames: number;
  readonly arrived: Published;
}

export type Kind = 'sandboxed' | 'inlined';

/** Polls every unit of every device once in `everyMs`, from a cold start, and looks at `ms` of it. */
export async function run(kind: Kind, ends: Ends, everyMs: number, ms: number): Promise<Run> {
  const sink = new MqttSink(
    'plant',
    { url: `mqtt://127.0.0.1:${ends.brokerPort}` },
    {
      failed: fault => process.stderr.write(`${fault.message}\n`),
      connected: () => {},
      retried: () => {},
    },
  );
  const path: Path = kind === 'inlined' ? new Inlined(NAME, sink) : await Sandboxed.start(NAME, sink);
  const source = new ModbusSource(NAME, plan(ends.plcPort, everyMs), path.ingress);
  path.connect(source);
  await sink.start();
  await source.start();
  await sleep(WARM_MS);

  const before = await path.counts();
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const began = performance.now();
  await sleep(ms);
  const elapsed = performance.now() - began;
  const { utilization } = performance.eventLoopUtilization(loop);
  const { user, system } = process.cpuUsage(cpu);
  const after = await path.counts();

  await source.stop();
  await path.drain();
  await sink.stop(AbortSignal.timeout(5000));
  const { frames } = await path.counts();
  await path.close();
  const some = after.frames - before.frames;
  return {
    cpu: (user + system) / some,
    rate: (some / elapsed) * 1000,
    busy: utilization,
    missed: after.missed - before.missed,
    frames,
    arrived: await ends.published(),
  };
}

function plan(port: number, everyMs: number): ConstructorParameters<typeof ModbusSource>[1] {
  const units = Array.from({ length: UNITS }, (_, unit) => unit + 1);
  const devices = Array.from({ length: DEVICES }, (_, i) => ({
    name: `plc${i}`,
    host: '127.0.0.1',
    port,
    units,
  }));
  return { devices, poll: [{ holding: { first: 0, last: 11 }, everyMs }] };
}
