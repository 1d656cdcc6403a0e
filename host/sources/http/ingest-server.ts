import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Fault } from '../../../runtime/index.js';
import { type ListenAddress, listen } from '../../listen.js';
import { PeerCount, peerOf } from '../serve/peer-count.js';
import { handshakeDefect, ServerCertificate, type ServerTlsConfig } from '../serve/server-certificate.js';
import type { HttpSettings } from './http-config.js';

/** Most bytes of the headers of a request, and how long they may take to come. */
export const HEADER_BYTES = 8_192;
const HEADERS_MS = 5_000;
/** How long a peer whose answer is out may take to hang up when the source closes. */
const GOODBYE_MS = 200;

export interface IngestServerEvents {
  request(request: IncomingMessage, response: ServerResponse): void;
  /** What came never became a request; the socket is to be answered and closed. */
  broken(error: NodeJS.ErrnoException, socket: Socket, code: Fault['code']): void;
  failed(code: Fault['code'], message: string, peer?: string): void;
  renewed(): void;
}

/** An address of its own for HTTP ingest: its connections with their ceilings, its certificate, and what is no HTTP. */
export class IngestServer {
  readonly #events: IngestServerEvents;
  readonly #settings: HttpSettings;
  readonly #count: PeerCount;
  readonly #certificate: ServerCertificate | undefined;
  readonly #server: Server | TlsServer;

  /** @param setting for messages: where it is configured @throws SluiceError SLUICE_TLS_CERTIFICATE */
  constructor(
    tls: ServerTlsConfig | undefined,
    settings: HttpSettings,
    setting: string,
    events: IngestServerEvents,
  ) {
    this.#events = events;
    this.#settings = settings;
    this.#count = new PeerCount(settings.connections, settings.connectionsPerPeer);
    const { timeoutMs } = settings;
    const options = {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_MS, timeoutMs),
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: Math.min(1_000, timeoutMs),
      keepAliveTimeout: timeoutMs,
      noDelay: true,
    };
    if (tls === undefined) this.#server = createServer(options);
    else {
      this.#certificate = new ServerCertificate(tls, `${setting}.tls`);
      // Node.js alone would give it two minutes.
      const handshakeTimeout = options.headersTimeout;
      this.#server = createTlsServer({ ...options, ...this.#certificate.load(), handshakeTimeout });
      this.#server.on('tlsClientError', (error, socket) => {
        const peer = peerOf(socket);
        const why = `${peer} did not get through the TLS handshake: ${handshakeDefect(error)}`;
        events.failed('SLUICE_SOURCE_TLS', why, peer);
      });
    }
    this.#server.on('connection', (socket: Socket) => this.#enter(socket));
    this.#server.on('request', (request, response) => events.request(request, response));
    this.#server.on('checkContinue', (request, response) => events.request(request, response));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      this.#broken(error, socket),
    );
  }

  /** @param who, @param setting for messages @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async listen(address: ListenAddress, who: string, setting: string): Promise<number> {
    const port = await listen(this.#server, address, who, setting);
    this.#server.on('error', ({ message }) => {
      const where = `${address.host}:${port}`;
      this.#events.failed('SLUICE_LISTEN_FAILED', `${where}: a connection could not be taken: ${message}`);
    });
    const events = {
      renewed: () => this.#events.renewed(),
      failed: (fault: Fault) => this.#events.failed(fault.code, fault.message),
    };
    this.#certificate?.watch(this.#server as TlsServer, events, this.#settings.lookMs);
    return port;
  }

  /** Takes no more connections. */
  stop(): void {
    this.#server.close();
    this.#certificate?.stop();
  }

  close(): void {
    this.#server.closeIdleConnections();
    setTimeout(() => this.#server.closeAllConnections(), GOODBYE_MS).unref();
  }

  #enter(socket: Socket): void {
    const peer = peerOf(socket);
    const full = this.#count.enter(peer);
    if (full === undefined) {
      socket.once('close', () => this.#count.leave(peer));
      return;
    }
    this.#events.failed('SLUICE_SOURCE_CONNECTIONS', `${peer} was turned away: ${full}`, peer);
    socket.destroy();
  }

  /** What is no HTTP, or does not come to an end. */
  #broken(error: NodeJS.ErrnoException, socket: Socket): void {
    const { code: what, message } = error;
    const peer = peerOf(socket);
    const late = what === 'ERR_HTTP_REQUEST_TIMEOUT';
    const code = late ? 'SLUICE_SOURCE_TIMEOUT' : 'SLUICE_SOURCE_PROTOCOL';
    if (what !== 'ECONNRESET' && !socket.destroyed) {
      const why = late ? 'did not send a whole request in time' : `broke the protocol: ${message}`;
      this.#events.failed(code, `${peer} ${why}; connection closed`, peer);
    }
    this.#events.broken(error, socket, code);
  }
}
