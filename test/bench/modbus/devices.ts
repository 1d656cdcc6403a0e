/**
 * Modbus TCP devices in a process of their own, each at an address of its own in 127.0.0.0/8: answers reads of holding
 * registers, and looks at how far polls are from their period. Started by modbus.ts; tells its port, takes `Ask`s.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type Ask =
  | { readonly ask: 'start'; readonly periodMs: number }
  /** What was seen since. */
  | { readonly ask: 'end' };

export interface Seen {
  readonly connections: number;
  readonly polls: number;
  /** Since when, milliseconds. */
  readonly sinceMs: number;
  /** Of the time between two polls of a device, from the period, milliseconds. */
  readonly jitterP50Ms: number;
  readonly jitterP99Ms: number;
}

const REQUEST = 12;
const REGISTERS = 125;
/** Jitters are counted in steps of 10 us, up to 10 s. */
const STEP_MS = 0.01;
const STEPS = 1_000_000;

const values = Buffer.alloc(REGISTERS * 2);
for (let i = 0; i < REGISTERS; i++) values.writeUInt16BE((i * 1234) & 0xffff, i * 2);
/** One answer is written at a time, and has left, or been copied, when `write` returns. */
const out = Buffer.alloc(16 * (9 + REGISTERS * 2));
const jitters = new Uint32Array(STEPS + 1);
let connections = 0;
let polls = 0;
let periodMs = 0;
let counted = 0;
let began = 0;

const server = createServer({ noDelay: true }, (socket: Socket) => {
  connections++;
  let last = 0;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('close', () => connections--);
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const now = performance.now();
    let at = 0;
    let end = 0;
    for (; at + REQUEST <= bytes.length; at += REQUEST) {
      end = answer(bytes, at, end);
      polls++;
    }
    rest = bytes.subarray(at);
    if (end > 0) socket.write(Buffer.from(out.subarray(0, end)));
    if (periodMs > 0 && last > 0) {
      const step = Math.round(Math.abs(now - last - periodMs) / STEP_MS);
      jitters[Math.min(step, STEPS)]! += 1;
      counted++;
    }
    last = now;
  });
});

/** MODBUS Application Protocol V1.1b3, 6.3. */
function answer(request: Buffer, from: number, at: number): number {
  const length = Math.min(request.readUInt16BE(from + 10), REGISTERS) * 2;
  request.copy(out, at, from, from + 8);
  out.writeUInt16BE(length + 3, at + 4);
  out[at + 8] = length;
  values.copy(out, at + 9, 0, length);
  return at + 9 + length;
}

function jitter(share: number): number {
  let left = counted * share;
  let step = 0;
  while (step < STEPS && left >= jitters[step]!) left -= jitters[step++]!;
  return step * STEP_MS;
}

process.on('message', (message: Ask) => {
  if (message.ask === 'start') {
    periodMs = message.periodMs;
    polls = counted = 0;
    jitters.fill(0);
    began = performance.now();
    process.send?.('started');
    return;
  }
  process.send?.({
    connections,
    polls,
    sinceMs: performance.now() - began,
    jitterP50Ms: jitter(0.5),
    jitterP99Ms: jitter(0.99),
  } satisfies Seen);
});
process.on('disconnect', () => process.exit());
// On all addresses: 127.x.y.z is this machine, whatever x, y and z are.
server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
