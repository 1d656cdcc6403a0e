/**
 * The least that an MQTT publisher needs, in a process of its own: CONNACK, PUBACK, PINGRESP. Counts what is
 * published, and remembers by a checksum which messages were seen. Started by ends.ts.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

let published = 0;
let seen = new Set<number>();

const server = createServer({ noDelay: true }, (socket: Socket) => {
  let rest: Buffer = Buffer.alloc(0);
  let version = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const out = Buffer.allocUnsafe(8 + bytes.length);
    let at = 0;
    let end = 0;
    for (;;) {
      const packet = frameAt(bytes, end);
      if (packet === undefined) break;
      const { start, next } = packet;
      const type = bytes[end]! >> 4;
      const qos = (bytes[end]! >> 1) & 3;
      if (type === 1) {
        version = bytes[start + 6]!;
        at = put(out, at, version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]);
      } else if (type === 3) {
        const body = start + 2 + bytes.readUInt16BE(start);
        const behind = body + (qos > 0 ? 2 : 0);
        take(bytes, start, body, version === 5 ? payloadAt(bytes, behind) : behind, next);
        if (qos > 0) at = put(out, at, [0x40, 2, bytes[body]!, bytes[body + 1]!]);
      } else if (type === 12) at = put(out, at, [0xd0, 0]);
      end = next;
    }
    rest = bytes.subarray(end);
    if (at > 0) socket.write(out.subarray(0, at));
  });
});

function put(out: Buffer, at: number, packet: readonly number[]): number {
  out.set(packet, at);
  return at + packet.length;
}

/** Where the packet at `from` has its body; undefined while it is not whole (3.1.1 and 5.0, 2.2.3 and 1.5.5). */
function frameAt(bytes: Buffer, from: number): { start: number; next: number } | undefined {
  let length = 0;
  for (let i = 1; from + i < bytes.length && i < 5; i++) {
    const byte = bytes[from + i]!;
    length |= (byte & 0x7f) << ((i - 1) * 7);
    if (byte > 0x7f) continue;
    const start = from + i + 1;
    return start + length <= bytes.length ? { start, next: start + length } : undefined;
  }
  return undefined;
}

/** Behind the properties at `from` (5.0, 2.2.2.1), among which is the id that every message has for itself. */
function payloadAt(bytes: Buffer, from: number): number {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[from + i]!;
    length |= (byte & 0x7f) << (i * 7);
    if (byte <= 0x7f) return from + i + 1 + length;
  }
  return from;
}

/** Topic and payload as one FNV-1a checksum. */
function take(bytes: Buffer, topic: number, topicEnd: number, rest: number, end: number): void {
  let hash = 0x811c9dc5;
  for (let i = topic; i < topicEnd; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  for (let i = rest; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  published++;
  seen.add(hash >>> 0);
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => {
  let contents = 0;
  for (const hash of seen) contents = (contents + hash) >>> 0;
  process.send?.({ published, distinct: seen.size, contents });
  published = 0;
  seen = new Set();
});
process.on('disconnect', () => process.exit());
