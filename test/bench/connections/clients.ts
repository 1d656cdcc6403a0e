/**
 * Clients in a process of their own: short connections, one behind the other in each of so many lanes, or idle ones.
 * Each lane has an address of its own in 127.0.0.0/8, so that the ports of one address last. Started by connections.ts
 * with its number; takes one task at a time.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32c } from '../../../host/protocols/tunnel/crc32c.js';
import { type Framing, PrefixFraming, TunnelFraming } from '../ends/framing.js';
import { modbusReply, SEQUENCE_AT } from '../gateway/reply.js';

export type Task =
  | {
      readonly task: 'short';
      readonly kind: Kind;
      readonly port: number;
      readonly lanes: number;
      readonly ms: number;
    }
  | { readonly task: 'open'; readonly kind: Kind; readonly port: number; readonly count: number }
  | { readonly task: 'close' };

/** A gateway, its tunnel source alone, a server on node:net, and one that converts and publishes too. */
export type Kind = 'gateway' | 'tunnel' | 'bare' | 'publishing';

export interface Exchanged {
  readonly exchanges: number;
  readonly seconds: number;
}

/** Idle connections that are opened at once. */
const TOGETHER = 100;
const LANES_OF_ONE = 250;
/** At 8 of a frame: its sequence, of which the lower half is enough here. */
const LOWER_SEQUENCE = 12;

const own = Number(process.argv[2]);
const PARTS = { topic: 'floor/1/3/0-11', payload: modbusReply(), numberAt: SEQUENCE_AT };
const idle: Socket[] = [];

process.on('message', (task: Task) => void run(task));
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run(task: Task): Promise<void> {
  if (task.task === 'short') process.send?.(await exchange(task));
  else if (task.task === 'open') process.send?.(await open(task));
  else process.send?.(await close());
}

function address(lane: number): string {
  return `127.${10 + own}.${Math.floor(lane / LANES_OF_ONE)}.${1 + (lane % LANES_OF_ONE)}`;
}

function framingOf(kind: Kind, lane: number): Framing {
  return kind === 'bare' ? new PrefixFraming(PARTS) : new TunnelFraming(`c${own}-${lane}`, PARTS);
}

async function exchange({ kind, port, lanes, ms }: Extract<Task, { task: 'short' }>): Promise<Exchanged> {
  const began = performance.now();
  const end = began + ms;
  let exchanges = 0;
  const lane = async (number: number): Promise<void> => {
    const framing = framingOf(kind, number);
    for (let sequence = 1; performance.now() < end; sequence++) {
      await exchangeOne(kind, port, address(number), framing, sequence);
      exchanges++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return { exchanges, seconds: (performance.now() - began) / 1000 };
}

/** Connect, one frame, its acknowledgement, close. */
function exchangeOne(
  kind: Kind,
  port: number,
  localAddress: string,
  framing: Framing,
  sequence: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
  const { hello } = framing;
  const head = hello?.length ?? 0;
  const out = Buffer.allocUnsafe(head + framing.size);
  if (hello !== undefined) {
    // 3.1: the oldest frame that the client still has.
    hello.writeUInt32BE(sequence, LOWER_SEQUENCE);
    hello.writeUInt32BE(crc32c(hello, 0, head - 4), head - 4);
    out.set(hello);
  }
  framing.put(out, head, sequence);
  let bytes = 0;
  // WELCOME and ACK; length and number.
  const whole = kind === 'bare' ? 8 : 40 + 28;
  socket.on('connect', () => socket.write(out));
  socket.on('data', chunk => {
    bytes += chunk.length;
    if (bytes === whole) socket.end();
  });
  socket.on('error', reject);
  socket.on('close', () => {
    if (bytes === whole) resolve();
    else reject(new Error(`${kind}: ${bytes} bytes of answers to frame ${sequence}, not ${whole}`));
  });
  return promise;
}

/** Opens connections that say who they are, and then nothing. */
async function open({ kind, port, count }: Extract<Task, { task: 'open' }>): Promise<number> {
  const one = async (number: number): Promise<void> => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: address(number), noDelay: true });
    await once(socket, 'connect');
    idle.push(socket);
    const { hello } = framingOf(kind, number);
    if (hello === undefined) return;
    const welcome = once(socket, 'data');
    socket.write(hello);
    await welcome;
  };
  for (let at = 0; at < count; at += TOGETHER)
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count - at) }, (_, i) => one(at + i)));
  return idle.length;
}

async function close(): Promise<number> {
  for (const socket of idle.splice(0)) {
    socket.on('error', () => {});
    socket.resetAndDestroy();
  }
  await sleep(100);
  return 0;
}
