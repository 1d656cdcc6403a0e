import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ClientSession } from '../protocols/tunnel/client-session.js';
import type { DataParts } from '../protocols/tunnel/encode.js';

export interface TunnelClientOptions {
  readonly host: string;
  readonly port: number;
  /** 1 to 64 letters, digits, dot, _ and -; no two clients of a server may have the same. */
  readonly client: string;
  readonly token?: string;
  /** Given: TLS, with these options of `tls.connect`. */
  readonly tls?: ConnectionOptions;
  /** Most frames that are kept until they are acknowledged. Default 10,000. */
  readonly capacity?: number;
  /** Pause before the next attempt to connect. Default 500 ms. */
  readonly retryMs?: number;
  readonly acknowledged?: (sequence: number) => void;
  /** A connection is there and welcomed, or one has ended (and why, if the server says it). */
  readonly changed?: (state: 'connected' | 'waiting', why?: string) => void;
}

/**
 * A client of a tunnel: give it frames, and it sees to it that each arrives once, over as many connections as
 * it takes. What is not acknowledged is kept in memory; who wants to keep it longer does so until
 * `acknowledged`.
 */
export class TunnelClient {
  readonly #options: TunnelClientOptions;
  readonly #session: ClientSession;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pings: NodeJS.Timeout | undefined;
  #heard = true;
  #why: string | undefined;
  #closing = false;
  #scheduled = false;

  constructor(options: TunnelClientOptions) {
    this.#options = options;
    const { client, token, capacity = 10_000 } = options;
    // 48 bits: the chance that two runs share one is nothing.
    const session = 1 + randomBytes(6).readUIntBE(0, 6);
    this.#session = new ClientSession({ client, session, token }, capacity, {
      welcome: ({ keepAliveMs }) => {
        this.#keepAlive(keepAliveMs);
        options.changed?.('connected');
      },
      acknowledged: sequence => options.acknowledged?.(sequence),
      close: ({ reason, text }) => {
        this.#why = `${text} (reason ${reason})`;
      },
    });
    this.#dial();
  }

  /** Frames that are not acknowledged. */
  get open(): number {
    return this.#session.open;
  }

  get acknowledged(): number {
    return this.#session.acknowledged;
  }

  /** Takes a frame: its sequence, or 0 if as many are kept as may be. Frames of one turn go out together. */
  send(parts: DataParts): number {
    const sequence = this.#session.send(parts);
    if (sequence > 0) this.#flushSoon();
    return sequence;
  }

  /** Ends the connection and opens no other; what is not acknowledged is given up. */
  close(): void {
    this.#closing = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pings);
    this.#socket?.destroy();
  }

  /** Ends the connection as a broken cable does; another follows. */
  cut(): void {
    this.#socket?.destroy();
  }

  #dial(): void {
    const { host, port, tls, retryMs = 500 } = this.#options;
    const socket =
      tls === undefined ? connect({ host, port, noDelay: true }) : connectTls({ ...tls, host, port });
    this.#socket = socket;
    this.#why = undefined;
    this.#heard = true;
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#session.begin();
      this.#flush();
    });
    socket.on('data', chunk => {
      this.#heard = true;
      try {
        this.#session.receive(chunk);
        this.#flush();
      } catch (thrown) {
        socket.destroy(thrown as Error);
      }
    });
    socket.on('error', error => {
      this.#why ??= error.message;
    });
    socket.once('close', () => {
      this.#socket = undefined;
      clearInterval(this.#pings);
      this.#options.changed?.('waiting', this.#why);
      if (!this.#closing) this.#timer = setTimeout(() => this.#dial(), retryMs);
    });
  }

  /** Says now and then that it is there, and takes a server that does not answer that for gone. */
  #keepAlive(everyMs: number): void {
    clearInterval(this.#pings);
    if (everyMs === 0) return;
    this.#pings = setInterval(() => {
      if (!this.#heard) this.#socket?.destroy();
      this.#heard = false;
      this.#session.ping();
      this.#flush();
    }, everyMs);
  }

  #flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#socket?.writable !== true) return;
    const bytes = this.#session.take();
    if (bytes !== undefined) this.#socket.write(bytes);
  }
}
