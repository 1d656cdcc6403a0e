/**
 * Load generator and witness of the benchmark `attack`, in a process of their own. The healthy route gets a steady rate of
 * numbered messages; the other one bursts of a poisoned message and good ones, the next as soon as the first good one
 * is back. Started by attack.ts with the broker's port; takes one task at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, publication } from '../gateway/client.js';

export interface LoadTask {
  readonly rate: number;
  readonly ms: number;
  /** To the other route: each burst with a poisoned message in front, or one that is as good as the rest. */
  readonly bursts: 'none' | 'good' | 'poisoned';
}

export interface Seen {
  readonly sent: number;
  /** Of the healthy route, while it was sent. */
  readonly perSecond: number;
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the write of each burst to its first good message, sorted. */
  readonly recoveries: readonly number[];
}

const DIGITS = 10;
/** Good messages behind a poisoned one: fewer would open the breaker, and the attack were over. */
const BURST = 10;
const PAUSE_MS = 20;
const PATIENCE_MS = 5000;
const healthy = publication('in/good/x', Buffer.alloc(DIGITS, 0x30));
const poisoned = publication('in/bad/x', Buffer.from([0xee, ...Buffer.alloc(DIGITS, 0x30)]));
const behind = publication('in/bad/x', Buffer.alloc(DIGITS, 0x30));
let sentAt: number[] = [];
/** Numbers go on from task to task, so that who sees all of them can count them. */
let first = 0;
let latencies: number[] = [];
let bad = 0;
/** The first good message of the last burst. */
let waiting = 0;
let arrived: () => void = () => {};

const port = Number(process.argv[2]);
const good = await Client.connect(port, 'out/in/good/#', takeGood, () => {}, 'good');
const other = await Client.connect(port, 'out/in/bad/#', takeBad, () => {}, 'bad');
process.on('message', (task: LoadTask) => void run(task));
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run({ rate, ms, bursts }: LoadTask): Promise<void> {
  first += sentAt.length;
  sentAt = [];
  latencies = [];
  const began = performance.now();
  const end = began + ms;
  const recoveries =
    bursts === 'none' ? Promise.resolve([]) : burst(end, bursts === 'good' ? behind : poisoned);
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const now = performance.now();
      publish(Math.floor(((Math.min(now, end) - began) * rate) / 1000) - sentAt.length, now);
      if (now < end) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  const perSecond = (latencies.length * 1000) / (performance.now() - began);
  const found = await recoveries;
  for (const late = performance.now() + PATIENCE_MS; latencies.length < sentAt.length; await sleep(5))
    if (performance.now() > late) break;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const lost = sentAt.length - latencies.length;
  const account: Seen = {
    sent: sentAt.length,
    perSecond,
    lost,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    recoveries: found.sort((a, b) => a - b),
  };
  process.send?.(account);
}

function publish(count: number, now: number): void {
  if (count <= 0) return;
  const out = Buffer.allocUnsafe(count * healthy.length);
  for (let i = 0; i < count; i++) {
    healthy.write(
      String(first + sentAt.push(now) - 1).padStart(DIGITS, '0'),
      healthy.length - DIGITS,
      'latin1',
    );
    healthy.copy(out, i * healthy.length);
  }
  good.write(out);
}

async function burst(end: number, first: Buffer): Promise<number[]> {
  const times: number[] = [];
  while (performance.now() < end) {
    const began = performance.now();
    const before = bad;
    const back = new Promise<void>(resolve => {
      arrived = resolve;
    });
    const messages = Array.from({ length: BURST }, () => {
      const next = Buffer.from(behind);
      next.write(String(++bad).padStart(DIGITS, '0'), next.length - DIGITS, 'latin1');
      return next;
    });
    waiting = before + 1;
    other.write(Buffer.concat([first, ...messages]));
    await Promise.race([back, sleep(PATIENCE_MS)]);
    times.push(performance.now() - began);
    await sleep(PAUSE_MS);
  }
  return times;
}

function takeGood(bytes: Buffer, start: number): void {
  const number = digits(bytes, start) - first;
  const sent = sentAt[number];
  if (sent === undefined) return;
  // One that comes twice must not stand for one that is lost.
  sentAt[number] = Number.NaN;
  if (!Number.isNaN(sent)) latencies.push(performance.now() - sent);
}

function takeBad(bytes: Buffer, start: number, end: number): void {
  if (end - start !== DIGITS || digits(bytes, start) < waiting) return;
  arrived();
}

function digits(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + DIGITS; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}
