/**
 * Sends frames of 64 bytes as fast as they are acknowledged, in writes of a given number of them, in a process of its
 * own. Started by tunnel.ts; takes one task at a time.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Framing } from '../ends/framing.js';
import { FRAME, framingOf, type Kind, WINDOW } from './frames.js';

export interface SendTask {
  readonly kind: Kind;
  readonly port: number;
  readonly perWrite: number;
  readonly ms: number;
}

/** Writes between two looks at what has come. */
const BURST = 64;

interface Line {
  readonly socket: Socket;
  readonly framing: Framing;
  sent: number;
  /** Bytes of answers, of which the last whole one says what is acknowledged. */
  acknowledged: number;
}

const lines = new Map<Kind, Line>();
process.on('message', (task: SendTask) => void run(task));
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run({ kind, port, perWrite, ms }: SendTask): Promise<void> {
  const line = lines.get(kind) ?? (await open(kind, port));
  const end = performance.now() + ms;
  while (performance.now() < end) {
    for (let i = 0; i < BURST && line.sent + perWrite <= line.acknowledged + WINDOW; i++) {
      const out = Buffer.allocUnsafe(perWrite * FRAME);
      let at = 0;
      for (let n = 0; n < perWrite; n++) at = line.framing.put(out, at, ++line.sent);
      line.socket.write(out);
    }
    await new Promise<void>(resolve => setImmediate(resolve));
  }
  while (line.acknowledged < line.sent) await once(line.socket, 'data');
  process.send?.(line.sent);
}

async function open(kind: Kind, port: number): Promise<Line> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const framing = framingOf(kind, 'bench');
  const line: Line = { socket, framing, sent: 0, acknowledged: 0 };
  lines.set(kind, line);
  if (framing.hello !== undefined) {
    const welcome = once(socket, 'data');
    socket.write(framing.hello);
    await welcome;
  }
  // Answers are short and rare, so a look at the last one is enough: each ends with the number.
  const [size, numberAt] = kind === 'tunnel' ? [28, 12] : [8, 4];
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', chunk => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % size);
    if (whole > 0) line.acknowledged = bytes.readUInt32BE(whole - size + numberAt);
    rest = bytes.subarray(whole);
  });
  return line;
}
