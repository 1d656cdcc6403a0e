import type { Socket } from 'node:net';

/** What `net.connect` does for its public option `onread`, and `net.createServer` has no option for. */
interface Inner {
  readonly _handle?: { useUserBuffer?(bytes: Uint8Array): void } | null;
  [name: symbol]: unknown;
}

interface Names {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** Undefined: no socket has been looked at; null: this Node.js has none of it. */
let names: Names | null | undefined;

/**
 * Reads of an accepted TCP socket come into `buffer`, which many sockets may share: what `take` is given is good until
 * it returns. Without this each read allocates 64 KiB, copies what came into a second buffer, and leaves that to the
 * garbage collector: up to a quarter of all that a small frame costs. Node.js 24 has no public way to it: `onread` is an
 * option of `new net.Socket` and `net.connect`, and a server makes the sockets that it accepts by itself, without it. (A
 * socket of our own around the accepted one's handle would need the same inner names, and be counted by no server.) So
 * it is looked for, and where it is not found the socket reads as ever, into memory of its own; a test then says so.
 * @returns true if `buffer` is used
 */
export function readInto(
  socket: Socket,
  buffer: Uint8Array,
  take: (bytes: Uint8Array, length: number) => void,
): boolean {
  const inner = socket as unknown as Inner;
  if (names === undefined) names = namesOf(inner);
  const handle = inner._handle;
  if (names === null || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', chunk => take(chunk as Buffer, chunk.length));
    return false;
  }
  inner[names.buffer] = buffer;
  inner[names.callback] = (length: number): void => take(buffer, length);
  handle.useUserBuffer(buffer);
  return true;
}

function namesOf(socket: Inner): Names | null {
  const own = new Map(Object.getOwnPropertySymbols(socket).map(name => [name.description, name]));
  const buffer = own.get('kBuffer');
  const callback = own.get('kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
