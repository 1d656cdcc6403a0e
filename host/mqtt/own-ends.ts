import type { Socket } from 'node:net';

/**
 * The ends of connections that sources and sinks of this gateway have opened. The embedded broker sees the same address and
 * port at its side, and knows by them who comes from this process: a client id can be said by anybody.
 */
export class OwnEnds {
  readonly #open = new Set<string>();

  /** Once it is connected, and before it says anything. */
  add(socket: Socket): void {
    const end = nameOf(socket.localAddress, socket.localPort);
    this.#open.add(end);
    socket.once('close', () => this.#open.delete(end));
  }

  /** Whether the other side of an accepted connection is one of them. */
  isOwn({ remoteAddress, remotePort }: Socket): boolean {
    return this.#open.has(nameOf(remoteAddress, remotePort));
  }
}

function nameOf(address: string | undefined, port: number | undefined): string {
  return `${address?.replace(/^::ffff:/, '')} ${port}`;
}
