import { connect, type Socket } from 'node:net';
import type { SourcePeer } from '../source.js';
import { backOff } from './back-off.js';
import type { LinkSettings } from './config.js';

/** A lost SYN is sent again after a second: give it the chance, however short the time for answers is. */
const LEAST_CONNECT_MS = 3_000;

/** What happens to a link; called with nothing of the link's own still to do. */
export interface LinkEvents {
  up(): void;
  /** `buffer[0, length)` has come and is overwritten afterwards; false: read no more until `resumeReading`. */
  bytes(buffer: Uint8Array, length: number): boolean;
  /** What was given to `write` has left; the next may be written. */
  written(): void;
  /** The connection could not be opened, or ended. The link waits for `retry`. */
  down(why: string): void;
}

/**
 * One TCP connection that is opened again and again. All reads go into one buffer that it owns, so that
 * reading costs no Buffer per chunk.
 */
export class Link {
  readonly #host: string;
  readonly #port: number;
  readonly #settings: LinkSettings;
  readonly #events: LinkEvents;
  readonly #receive: Buffer;
  #state: SourcePeer['state'] = 'waiting';
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #writing = false;

  /** @param receiveBytes size of the buffer for reads: what can be under way at once */
  constructor(host: string, port: number, settings: LinkSettings, receiveBytes: number, events: LinkEvents) {
    this.#host = host;
    this.#port = port;
    this.#settings = settings;
    this.#receive = Buffer.allocUnsafeSlow(receiveBytes);
    this.#events = events;
  }

  get state(): SourcePeer['state'] {
    return this.#state;
  }

  /** False while the socket still holds the bytes of the last `write`, or is not open. */
  get writable(): boolean {
    return this.#state === 'connected' && !this.#writing;
  }

  open(): void {
    this.#state = 'connecting';
    this.#writing = false;
    const read = (length: number, buffer: Uint8Array): boolean =>
      socket !== this.#socket || this.#events.bytes(buffer, length);
    const socket = connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      onread: { buffer: this.#receive, callback: read },
    });
    this.#socket = socket;
    let why = 'the device closed the connection';
    socket.once('connect', () => {
      if (socket !== this.#socket) return;
      this.#clearTimer();
      this.#state = 'connected';
      this.#events.up();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Where a name has several addresses the message is empty and only the code says something.
      why = error.message || error.code || 'the connection failed';
    });
    socket.once('close', () => this.#closed(socket, why));
    this.#timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${this.#connectMs} ms`));
    }, this.#connectMs);
  }

  /** The device has proved to be well: the next back-off starts at its shortest. */
  settled(): void {
    this.#attempt = 0;
  }

  /** Only when `writable`. The bytes belong to the link until `written`. */
  write(bytes: Uint8Array): void {
    this.#writing = true;
    this.#socket?.write(bytes, this.#written);
  }

  resumeReading(): void {
    this.#socket?.resume();
  }

  /** Closes without `down`, and opens again after the back-off. */
  reopen(): number {
    this.#detach();
    return this.retry();
  }

  /** Opens again after the back-off; gives its milliseconds. */
  retry(): number {
    this.#state = 'waiting';
    const wait = backOff(this.#attempt, this.#settings.minMs, this.#settings.maxMs);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), wait);
    return wait;
  }

  /** Closes for good; done when the system has given the socket back. */
  stop(): Promise<void> {
    this.#state = 'stopped';
    const socket = this.#detach();
    if (socket === undefined || socket.closed) return Promise.resolve();
    return new Promise(resolve => socket.once('close', () => resolve()));
  }

  get #connectMs(): number {
    return Math.max(this.#settings.timeoutMs, LEAST_CONNECT_MS);
  }

  readonly #written = (error?: Error | null): void => {
    // After an error `close` follows and says why. A callback of a socket that was let go comes with one too.
    if (error) return;
    this.#writing = false;
    this.#events.written();
  };

  #closed(socket: Socket, why: string): void {
    if (socket !== this.#socket) return;
    this.#detach();
    this.#state = 'waiting';
    this.#events.down(why);
  }

  #detach(): Socket | undefined {
    this.#clearTimer();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#writing = false;
    socket?.destroy();
    return socket;
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
