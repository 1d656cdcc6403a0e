import type { Socket } from 'node:net';

/**
 * What one client is told, in its order. A WELCOME may wait a moment for what comes behind it, so that both are one
 * write; whatever goes out takes it along.
 */
export class Replies {
  readonly #socket: Socket;
  #welcome: Buffer | undefined;
  #clogged = false;

  /** @param drained the client reads again */
  constructor(socket: Socket, drained: () => void) {
    this.#socket = socket;
    socket.on('drain', () => {
      this.#clogged = false;
      drained();
    });
  }

  /** The client does not read what it is told. */
  get isClogged(): boolean {
    return this.#clogged;
  }

  get owesWelcome(): boolean {
    return this.#welcome !== undefined;
  }

  /** Goes out with the next that is sent, or with `greet`. */
  welcome(bytes: Buffer): void {
    this.#welcome = bytes;
  }

  greet(): void {
    const welcome = this.#welcome;
    this.#welcome = undefined;
    if (welcome !== undefined) this.send(welcome);
  }

  send(bytes: Buffer): void {
    if (this.#socket.writable && !this.#socket.write(this.ordered(bytes))) this.#clogged = true;
  }

  /** These bytes behind what has to go out before them; they are sent by the caller. */
  ordered(bytes: Buffer): Buffer {
    const welcome = this.#welcome;
    if (welcome === undefined) return bytes;
    this.#welcome = undefined;
    return Buffer.concat([welcome, bytes]);
  }
}
