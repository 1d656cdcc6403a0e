import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup as lookUpName } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';

/** Where a datagram came from, or goes to. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** What the system keeps of datagrams that have not been read; it may allow less (net.core.rmem_max). */
const RECEIVE_BYTES = 1 << 20;

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** An address needs no look-up; Node would make each datagram wait for the next tick for it. */
function lookup(host: string, family: unknown, found: Found): void {
  const version = isIP(host);
  if (version === 0) lookUpName(host, { family: Number(family) }, found);
  else found(null, host, version);
}

/** A UDP socket of the family of an address. */
export function udpSocket(address: string): Socket {
  return createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BYTES,
    lookup: lookup as never,
  });
}

/** A UDP socket: a send never throws, and what cannot be sent is lost as on the way. */
export class Datagrams {
  readonly #socket: Socket;
  #closed: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Listens. @throws Error of the system */
  bind(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address, port }, () => {
        this.#socket.removeListener('error', reject);
        resolve(this.#socket.address().port);
      });
    });
  }

  receive(each: (bytes: Buffer, peer: RemoteInfo) => void, failed: (error: Error) => void): void {
    this.#socket.on('message', each);
    this.#socket.on('error', failed);
  }

  /** False: it cannot be sent there, or not any more. */
  send({ address, port }: Peer, bytes: Uint8Array): boolean {
    if (this.#closed !== undefined) return false;
    try {
      this.#socket.send(bytes, port, address);
    } catch {
      return false;
    }
    return true;
  }

  close(): Promise<void> {
    this.#closed ??= new Promise(resolve => {
      this.#socket.removeAllListeners('message');
      this.#socket.close(() => resolve());
    });
    return this.#closed;
  }
}
