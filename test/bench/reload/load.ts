/**
 * Load generator and witness of the benchmark `reload`, in a process of their own: a sequence goes out at a steady rate,
 * and has to come back whole, in order, each number once, behind the stamp of a version. It goes out through a tunnel, and
 * comes back to a server here, so that what is seen is the gateway itself: a broker on two shared cores keeps up with two
 * thirds of 20,000 messages a second both ways, and has pauses of its own. Started by phase.ts. Says the port of its server;
 * told `{rate, port}` it begins to send to that port; told `end` it stops and gives the account.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TunnelClient } from '../../../host/tunnel-client/tunnel-client.js';
import { Client } from '../gateway/client.js';

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
  /** Messages that were on their way at that moment, here and in the gateway together. */
  readonly behind: number;
}

const GAP_MS = 1;
const PATIENCE_MS = 5000;
const DIGITS = 10;
const TOPIC = 'in/stamp/x';
/** Most that wait here for an acknowledgement: more than any pause makes. */
const CAPACITY = 1 << 20;
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

const server = createServer(socket =>
  Client.accept(socket, take, () => {
    now = 0;
  }),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.on('message', (told: { rate: number; port: number } | 'end') => {
  if (told === 'end') void end();
  else void begin(told.rate, told.port);
});
process.on('disconnect', () => process.exit());
process.send?.((server.address() as AddressInfo).port);

/** A clock that all processes share. */
function clock(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

async function begin(rate: number, port: number): Promise<void> {
  const connected = Promise.withResolvers<void>();
  const changed = (state: 'connected' | 'waiting', why?: string): void => {
    if (state === 'connected') connected.resolve();
    else if (timer !== undefined) throw new Error(`the tunnel broke: ${why}`);
  };
  const capacity = CAPACITY;
  const tunnel = new TunnelClient({ host: '127.0.0.1', port, client: 'load', capacity, changed });
  await connected.promise;
  const began = performance.now();
  timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * rate) / 1000);
    while (sent < due) {
      const payload = Buffer.from(String(sent).padStart(DIGITS, '0'), 'latin1');
      if (tunnel.send({ topic: TOPIC, payload }) === 0)
        throw new Error(`${CAPACITY} frames are not acknowledged`);
      sent++;
    }
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
  timer = undefined;
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
