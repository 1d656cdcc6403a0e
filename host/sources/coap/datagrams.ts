import type { Socket } from 'node:dgram';
import type { Peer } from './exchanges.js';

/** How long closing waits for the system to take what was sent. */
const CLOSE_MS = 500;

/** What goes out through a UDP socket: a send never throws, and closing waits for what was sent before. */
export class Datagrams {
  readonly #socket: Socket;
  #outstanding = 0;
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** False: it cannot be sent there, or not any more. What the system drops later is lost as on the way. */
  send({ address, port }: Peer, bytes: Buffer): boolean {
    if (this.#closed !== undefined) return false;
    try {
      this.#socket.send(bytes, port, address, () => this.#taken());
    } catch {
      return false;
    }
    this.#outstanding += 1;
    return true;
  }

  /** A send looks its address up first: a socket that is closed in the same tick loses it. */
  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    this.#socket.removeAllListeners('message');
    if (this.#outstanding > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, CLOSE_MS);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await new Promise<void>(resolve => {
      this.#socket.close(() => resolve());
    });
  }

  #taken(): void {
    this.#outstanding -= 1;
    if (this.#outstanding === 0) this.#idle?.();
  }
}
