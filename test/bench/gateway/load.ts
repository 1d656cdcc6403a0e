/**
 * Load generator and witness, in a process of their own: publishes replies that carry a sequence, sees them come back
 * as JSON, in order and each once. Started by gateway.ts with the broker's port (and a filter); takes one task at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, publication } from './client.js';
import { cpuOf } from './cpu.js';
import { isItsJson, modbusReply, SEQUENCE_AT } from './reply.js';

/** Keep `window` messages on their way, `step` (1) at a time; look at `ms` of it after `warmMs`. */
interface Saturate {
  readonly task: 'saturate';
  readonly name: string;
  readonly pid: number;
  readonly window: number;
  readonly step?: number;
  readonly warmMs: number;
  readonly ms: number;
}

/** So many messages a second, whatever comes back. */
interface Pace {
  readonly task: 'pace';
  readonly name: string;
  readonly rate: number;
  readonly ms: number;
}

export type LoadTask = Saturate | Pace;

export interface Saturated {
  readonly messages: number;
  readonly seconds: number;
  readonly cpuUs: number;
  readonly wrong: number;
}

export interface Paced {
  readonly messages: number;
  readonly missing: number;
  readonly wrong: number;
  /** Of each message, in milliseconds. */
  readonly latencies: readonly number[];
}

const RING = 1 << 17;
const PATIENCE_MS = 5000;

const sentAt = new Float64Array(RING);
const latencies: number[] = [];
let packet: Buffer = Buffer.alloc(0);
let registers = 0;
let sent = 0;
let seen = 0;
let wrong = 0;
let measuring = false;
let topUp = (): void => {};

const client = await Client.connect(Number(process.argv[2]), process.argv[3] ?? 'out/#', take, () => topUp());
process.on('message', (task: LoadTask) => void run(task));
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run(task: LoadTask): Promise<void> {
  sent = seen = wrong = 0;
  const reply = modbusReply();
  packet = publication(`in/${task.name}/1/3/0-11`, reply);
  registers = packet.length - reply.length + SEQUENCE_AT;
  process.send?.(task.task === 'pace' ? await pace(task) : await saturate(task));
}

async function saturate({ pid, window, step = 1, warmMs, ms }: Saturate): Promise<Saturated> {
  topUp = () => publish(ready(seen + window - sent, step));
  publish(window);
  await sleep(warmMs);
  const [began, before, had] = [performance.now(), cpuOf(pid), seen];
  await sleep(ms);
  const [ended, after, has] = [performance.now(), cpuOf(pid), seen];
  topUp = () => {};
  await drained();
  return {
    messages: has - had,
    seconds: (ended - began) / 1000,
    cpuUs: after - before,
    wrong: wrong + (sent - seen),
  };
}

async function pace({ rate, ms }: Pace): Promise<Paced> {
  latencies.length = 0;
  measuring = true;
  const began = performance.now();
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) * rate) / 1000);
      publish(Math.min(due, (rate * ms) / 1000) - sent);
      if (sent < (rate * ms) / 1000) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await drained();
  measuring = false;
  return { messages: sent, missing: sent - seen, wrong, latencies };
}

function ready(room: number, step: number): number {
  return room < step ? 0 : room;
}

function publish(count: number): void {
  if (count <= 0) return;
  const out = Buffer.allocUnsafe(count * packet.length);
  const time = performance.now();
  for (let i = 0; i < count; i++) {
    const sequence = sent++;
    sentAt[sequence % RING] = time;
    packet.writeUInt32BE(sequence, registers);
    packet.copy(out, i * packet.length);
  }
  client.write(out);
}

function take(bytes: Buffer, start: number, end: number): void {
  const sequence = seen++;
  if (measuring) latencies.push(performance.now() - sentAt[sequence % RING]!);
  if (!isItsJson(bytes, start, end, sequence)) wrong++;
}

async function drained(): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (seen < sent && performance.now() < end) await sleep(5);
}
