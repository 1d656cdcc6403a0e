import type { ServerResponse } from 'node:http';
import { SluiceError } from '../../../runtime/index.js';
import type { AdminEvent, EventHub } from './events.js';

export interface EventStreamOptions {
  /** Most clients at once. */
  readonly clients?: number;
  /** Bytes that may wait for one client, beyond what the system takes. */
  readonly backlog?: number;
  readonly heartbeatMs?: number;
  /** A client that did not read was sent away. */
  readonly dropped: () => void;
}

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

/** What the policy is asked about. Chunks are Node's doing, where the client speaks HTTP/1.1. */
export const STREAM_HEADERS = { ...HEADERS, 'transfer-encoding': 'chunked' } as const;

/** Clients of /v1/events. Source: WHATWG HTML, 9.2 "Server-sent events". */
export class EventStreams {
  readonly #options: Required<EventStreamOptions>;
  readonly #clients = new Set<ServerResponse>();
  readonly #deaf: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #id = 0;

  constructor(hub: EventHub, options: EventStreamOptions) {
    this.#options = { clients: 16, backlog: 256 << 10, heartbeatMs: 15_000, ...options };
    this.#deaf = hub.listen(event => this.#tell(event));
    // A comment: so that who listens, and what is in between, sees that the line stands.
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), this.#options.heartbeatMs).unref();
  }

  /** @throws SluiceError SLUICE_ADMIN_BUSY */
  mustHaveRoom(): void {
    if (this.#clients.size < this.#options.clients) return;
    const message = `${this.#clients.size} event streams are open, which is the most`;
    throw new SluiceError('SLUICE_ADMIN_BUSY', message);
  }

  add(response: ServerResponse): void {
    response.writeHead(200, HEADERS);
    response.once('close', () => this.#clients.delete(response));
    this.#clients.add(response);
    response.write('retry: 2000\n: events of this gateway from now on\n\n');
  }

  stop(): void {
    this.#deaf();
    clearInterval(this.#heartbeat);
    for (const response of this.#clients) response.end();
  }

  #tell(event: AdminEvent): void {
    if (this.#clients.size === 0) return;
    this.#id++;
    const data = JSON.stringify({ ...event, time: new Date().toISOString() });
    this.#write(`id: ${this.#id}\nevent: ${event.type}\ndata: ${data}\n\n`);
  }

  #write(text: string): void {
    for (const response of this.#clients) {
      if (response.writableLength <= this.#options.backlog) {
        response.write(text);
        continue;
      }
      this.#clients.delete(response);
      response.destroy();
      this.#options.dropped();
    }
  }
}
