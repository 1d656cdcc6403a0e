/**
 * Load generator and witness, in a process of their own: publishes replies that carry a sequence, sees them come back
 * as JSON, in order and each once. Started by gateway.ts with the broker's port; takes one task at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, publication } from './client.js';
import { cpuOf } from './cpu.js';

/** Keep `window` messages on their way, look at `ms` of it after `warmMs`. */
interface Saturate {
  readonly task: 'saturate';
  readonly name: string;
  readonly pid: number;
  readonly window: number;
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
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const RING = 1 << 17;
const HEAD = '{"unit":1,"function":3,"first":0,"values":[';
/** Registers 2 to 11: values of every length. */
const REGISTERS = [7, 42, 365, 1450, 65535, 0, 600, 12, 30000, 8];
const TAIL = `,${REGISTERS.join(',')}]}`;
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

const client = await Client.connect(Number(process.argv[2]), 'out/#', take, () => topUp());
process.on('message', (task: LoadTask) => void run(task));
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run(task: LoadTask): Promise<void> {
  sent = seen = wrong = 0;
  const reply = Buffer.alloc(9 + 24);
  reply.writeUInt16BE(reply.length - 6, 4);
  reply.set([1, 3, 24], 6);
  for (const [index, value] of REGISTERS.entries()) reply.writeUInt16BE(value, 13 + index * 2);
  packet = publication(`in/${task.name}/1/3/0-11`, reply);
  registers = packet.length - 24;
  process.send?.(task.task === 'pace' ? await pace(task) : await saturate(task));
}

async function saturate({ pid, window, warmMs, ms }: Saturate): Promise<Saturated> {
  topUp = () => publish(seen + window - sent);
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
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { messages: sent, missing: sent - seen, wrong, p50Ms: at(0.5), p99Ms: at(0.99) };
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
  // All of it, though not of each: the witness must not be what is waited for.
  if (sequence % 64 === 0) {
    const text = `${HEAD}${sequence >>> 16},${sequence & 0xffff}${TAIL}`;
    if (bytes.toString('latin1', start, end) !== text) wrong++;
  } else if (numberAt(bytes, start + HEAD.length) !== sequence >>> 16 || !ends(bytes, start, sequence))
    wrong++;
}

/** The second value is the lower half of the sequence. */
function ends(bytes: Buffer, start: number, sequence: number): boolean {
  const comma = bytes.indexOf(0x2c, start + HEAD.length);
  return numberAt(bytes, comma + 1) === (sequence & 0xffff);
}

function numberAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; bytes[i]! >= 0x30 && bytes[i]! <= 0x39; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}

async function drained(): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (seen < sent && performance.now() < end) await sleep(5);
}
