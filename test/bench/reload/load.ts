/**
 * Load generator and witness of the benchmark `reload`, in a process of their own: a sequence goes out at a steady rate,
 * and has to come back whole, in order, each number once, behind the stamp of a version. Started by reload.ts with the
 * broker's port. Told `{rate}` it begins, told `end` it stops and gives the account.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, publication } from '../gateway/client.js';

/** A pause between two messages, process.hrtime milliseconds. */
export interface Gap {
  readonly end: number;
  readonly ms: number;
}

export interface Account {
  readonly sent: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Messages that came behind one with a higher number. */
  readonly disordered: number;
  readonly gaps: readonly Gap[];
}

/** The first message of a version was here. */
export interface FirstSeen {
  readonly stamp: number;
  readonly at: number;
  /** Messages that were on their way at that moment, in broker and gateway together. */
  readonly behind: number;
}

const GAP_MS = 1;
const PATIENCE_MS = 5000;
const DIGITS = 10;
const packet = publication('in/stamp/x', Buffer.alloc(DIGITS, 0x30));
const gaps: Gap[] = [];
/** How often each number came; as large as the longest run needs, since to grow would be a pause of our own. */
const times = new Uint8Array(1 << 25);
let highest = -1;
let disordered = 0;
let sent = 0;
let seen = 0;
let stamp = -1;
let last = 0;
let now = 0;
let timer: NodeJS.Timeout | undefined;

const client = await Client.connect(Number(process.argv[2]), 'out/#', take, () => {
  now = 0;
});
process.on('message', (told: { rate: number } | 'end') => {
  if (told === 'end') void end();
  else begin(told.rate);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** A clock that all processes share. */
function clock(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

function begin(rate: number): void {
  const began = performance.now();
  timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * rate) / 1000) - sent;
    if (due <= 0) return;
    const out = Buffer.allocUnsafe(due * packet.length);
    for (let i = 0; i < due; i++) {
      packet.write(String(sent++).padStart(DIGITS, '0'), packet.length - DIGITS, 'latin1');
      packet.copy(out, i * packet.length);
    }
    client.write(out);
  }, 1);
}

function take(bytes: Buffer, start: number): void {
  if (now === 0) {
    now = clock();
    if (last > 0 && now - last > GAP_MS) gaps.push({ end: now, ms: now - last });
    last = now;
  }
  const version = digits(bytes, start, 6);
  if (version !== stamp) {
    stamp = version;
    process.send?.({ stamp, at: now, behind: sent - seen } satisfies FirstSeen);
  }
  const sequence = digits(bytes, start + 7, DIGITS);
  times[sequence]!++;
  if (sequence > highest) highest = sequence;
  else disordered++;
  seen++;
}

function digits(bytes: Buffer, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}

async function end(): Promise<void> {
  clearInterval(timer);
  // On a machine that cannot keep up the broker's queue is long: what still comes is waited for, however late.
  let before = seen;
  let still = performance.now();
  while (seen < sent && performance.now() - still < PATIENCE_MS) {
    await sleep(10);
    if (seen === before) continue;
    before = seen;
    still = performance.now();
  }
  await sleep(100); // For what comes twice.
  let lost = 0;
  let duplicated = 0;
  for (const count of times.subarray(0, sent)) {
    if (count === 0) lost++;
    else duplicated += count - 1;
  }
  process.send?.({ sent, lost, duplicated, disordered, gaps } satisfies Account);
}
