/**
 * Sends replies that carry a sequence over a socket, and sees them come at the broker as JSON, in order and each once.
 * Started by ingest.ts with the broker's port; takes one task at a time.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Framing, PrefixFraming, TunnelFraming } from '../ends/framing.js';
import { Client } from '../gateway/client.js';
import { cpuOf } from '../gateway/cpu.js';
import type { Saturated } from '../gateway/load.js';
import { isItsJson, modbusReply, SEQUENCE_AT } from '../gateway/reply.js';

/** Keep `window` messages on their way to a port, written `step` or more at a time; look at `ms` of it after `warmMs`. */
export interface SendTask {
  readonly framing: 'tunnel' | 'prefix';
  readonly port: number;
  readonly pid: number;
  readonly window: number;
  readonly step: number;
  readonly warmMs: number;
  readonly ms: number;
}

/** A connection that stays open from task to task. */
interface Line {
  readonly socket: Socket;
  readonly framing: Framing;
  sent: number;
}

const PATIENCE_MS = 5000;
const PARTS = { topic: 'floor/1/3/0-11', payload: modbusReply(), numberAt: SEQUENCE_AT };

const lines = new Map<number, Line>();
/** Of the line that has work. */
let seen = 0;
let wrong = 0;
let topUp = (): void => {};

const client = await Client.connect(
  Number(process.argv[2]),
  'out/floor/#',
  (bytes, start, end) => {
    if (!isItsJson(bytes, start, end, ++seen)) wrong++;
  },
  () => topUp(),
  'ingest-load',
);
process.on('message', (task: SendTask) => void saturate(task));
process.on('disconnect', () => {
  client.close();
  process.exit();
});
process.send?.('ready');

async function saturate({ framing, port, pid, window, step, warmMs, ms }: SendTask): Promise<void> {
  const line = lines.get(port) ?? (await open(port, framing));
  seen = line.sent;
  wrong = 0;
  topUp = () => {
    const room = seen + window - line.sent;
    if (room >= step) send(line, room);
  };
  send(line, window);
  await sleep(warmMs);
  const [began, before, had] = [performance.now(), cpuOf(pid), seen];
  await sleep(ms);
  const [ended, after, has] = [performance.now(), cpuOf(pid), seen];
  topUp = () => {};
  const patience = performance.now() + PATIENCE_MS;
  while (seen < line.sent && performance.now() < patience) await sleep(5);
  const answer: Saturated = {
    messages: has - had,
    seconds: (ended - began) / 1000,
    cpuUs: after - before,
    wrong: wrong + Math.abs(line.sent - seen),
  };
  process.send?.(answer);
}

async function open(port: number, kind: SendTask['framing']): Promise<Line> {
  const framing = kind === 'tunnel' ? new TunnelFraming('load', PARTS) : new PrefixFraming(PARTS);
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  // Acknowledgements: what counts is what comes at the broker.
  socket.on('data', () => {});
  await once(socket, 'connect');
  if (framing.hello !== undefined) {
    const welcome = once(socket, 'data');
    socket.write(framing.hello);
    await welcome;
  }
  const line = { socket, framing, sent: 0 };
  lines.set(port, line);
  return line;
}

function send(line: Line, count: number): void {
  const out = Buffer.allocUnsafe(count * line.framing.size);
  let at = 0;
  for (let i = 0; i < count; i++) at = line.framing.put(out, at, ++line.sent);
  line.socket.write(out);
}
