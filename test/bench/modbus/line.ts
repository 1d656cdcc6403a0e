import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { answer, gone } from '../child.js';
import { cpuOf } from '../gateway/cpu.js';
import { prepareGateway } from '../gateway/subjects.js';
import type { Ask, Seen } from './devices.js';

/** What is asked of each device. */
export interface Load {
  readonly devices: number;
  readonly registers: number;
  readonly everyMs: number;
}

export interface Run extends Seen {
  /** Share of one core, all threads. */
  readonly cores: number;
  readonly residentMiB: number;
  /** Polls a second, and the share of those due that were made and gave a message. */
  readonly rate: number;
  readonly made: number;
}

const CONNECT_MS = 10_000;
const PAGE = 4096;

/** Devices, mosquitto, and a gateway between them that is started for one load: poll, JSON, MQTT at QoS 0. */
export async function runLine(load: Load, warmMs: number, ms: number): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const broker = await Mosquitto.start(folder);
    running.push(broker);
    const devices = fork(new URL('./devices.js', import.meta.url), { execArgv: [] });
    running.push({ stop: () => gone(devices) });
    const port = await answer<number>(devices);
    const source = { modbus: sourceOf(load, port) };
    const args = await prepareGateway(folder, broker.port, { plugin: 'modbus-json', source, prefix: 'out/' });
    const gateway = new Program(process.execPath, args);
    running.push(gateway);
    const { 1: admin } = await gateway.said(/http:\/\/(127\.0\.0\.1:\d+)/);
    await connected(devices, load.devices);
    await sleep(warmMs);
    return await look({
      load,
      devices,
      pid: gateway.child.pid ?? -1,
      metrics: `http://${admin}/metrics`,
      ms,
    });
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function sourceOf({ devices, registers, everyMs }: Load, port: number): object {
  return {
    devices: Array.from({ length: devices }, (_, i) => ({
      name: `d${i}`,
      host: `127.${1 + (i >> 8)}.${i & 0xff}.1`,
      port,
    })),
    poll: [{ holding: `0-${registers - 1}`, every: `${everyMs}ms` }],
  };
}

async function ask<T>(devices: ChildProcess, message: Ask): Promise<T> {
  devices.send(message);
  return answer<T>(devices);
}

/** @throws Error they do not come */
async function connected(devices: ChildProcess, count: number): Promise<void> {
  const end = performance.now() + CONNECT_MS;
  for (let has = 0; has < count; ) {
    if (performance.now() > end) throw new Error(`${has} of ${count} devices are connected`);
    await sleep(50);
    ({ connections: has } = await ask<Seen>(devices, { ask: 'end' }));
  }
}

interface Look {
  readonly load: Load;
  readonly devices: ChildProcess;
  readonly pid: number;
  readonly metrics: string;
  readonly ms: number;
}

async function look({ load, devices, pid, metrics, ms }: Look): Promise<Run> {
  const before = await messages(metrics);
  await ask(devices, { ask: 'start', periodMs: load.everyMs });
  const [began, cpu] = [performance.now(), cpuOf(pid)];
  await sleep(ms);
  const seconds = (performance.now() - began) / 1000;
  const cpuUs = cpuOf(pid) - cpu;
  const seen = await ask<Seen>(devices, { ask: 'end' });
  const out = (await messages(metrics)) - before;
  const due = (load.devices * seen.sinceMs) / load.everyMs;
  return {
    ...seen,
    cores: cpuUs / seconds / 1e6,
    residentMiB: residentOf(pid),
    rate: (seen.polls / seen.sinceMs) * 1000,
    made: Math.min(seen.polls, out) / due,
  };
}

/** Messages that the gateway has handed to the broker. */
async function messages(metrics: string): Promise<number> {
  const text = await (await fetch(metrics)).text();
  return Number(/^sluice_messages_total\{[^}]*\} (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** proc(5), statm. */
function residentOf(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
  return (Number(pages) * PAGE) / 2 ** 20;
}
