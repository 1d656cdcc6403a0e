/**
 * The receiving end, in a process of its own: the tunnel's source, or a server around the bare scanner. Both copy each
 * payload once, as a route does into its slab, and acknowledge what a turn of the loop has brought. Argument: which.
 * Started by tunnel.ts; tells its port, then frames and processor time so far whenever it is asked.
 */
import { type AddressInfo, createServer } from 'node:net';
import type { Ingress } from '../../../host/sources/source.js';
import { TunnelSource } from '../../../host/sources/tunnel/tunnel-source.js';
import { PrefixScanner } from '../ends/prefix-scanner.js';
import { type Kind, WINDOW } from './frames.js';

export interface Served {
  readonly frames: number;
  readonly cpuUs: number;
}

const SLAB = 1 << 18;
/** Connections, for the benchmark of that name, which measures this end too. */
const MOST = 20_000;
const slab = new Uint8Array(SLAB);
let used = 0;
let frames = 0;

function take(bytes: Uint8Array, start: number, end: number): void {
  if (used + end - start > SLAB) used = 0;
  slab.set(bytes.subarray(start, end), used);
  used += end - start;
  frames++;
}

async function tunnel(): Promise<number> {
  let scheduled = false;
  let strings = 0;
  const deliver = (): void => {
    scheduled = false;
    source.delivered(frames);
  };
  const ingress: Ingress = {
    topic: () => strings++,
    properties: () => strings++,
    topicOf: (_bytes, _start, _end, reuse = strings++) => reuse,
    propertiesOf: (_image, reuse = strings++) => reuse,
    push: (_topic, _time, bytes, start, end) => {
      take(bytes, start, end);
      if (!scheduled) {
        scheduled = true;
        setImmediate(deliver);
      }
      return frames;
    },
    hasRoom: () => true,
    skipped: code => {
      throw new Error(code);
    },
    connected: () => {},
    failed: ({ message }) => process.stderr.write(`${message}\n`),
  };
  const many = { connections: MOST, connectionsPerPeer: MOST, keepAliveMs: 600_000 };
  const source = new TunnelSource('bench', { host: '127.0.0.1', port: 0, window: WINDOW, ...many }, ingress);
  await source.start();
  return source.port;
}

/** Answers with how many frames have come, in 8 bytes. */
async function prefix(): Promise<number> {
  const server = createServer({ noDelay: true }, socket => {
    const scanner = new PrefixScanner();
    let scheduled = false;
    const acknowledge = (): void => {
      scheduled = false;
      const out = Buffer.allocUnsafe(8);
      out.writeUInt32BE(8, 0);
      out.writeUInt32BE(frames, 4);
      socket.write(out);
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', chunk => {
      scanner.push(chunk, take);
      if (scheduled) return;
      scheduled = true;
      setImmediate(acknowledge);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const start: Record<Kind, () => Promise<number>> = { tunnel, prefix };
const port = await start[process.argv[2] as Kind]();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ frames, cpuUs: user + system } satisfies Served);
});
process.on('disconnect', () => process.exit());
process.send?.(port);
