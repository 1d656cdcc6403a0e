import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type Fault, SluiceError, Stamp } from '../../../runtime/index.js';
import { listen } from '../../listen.js';
import { encodeClose } from '../../protocols/tunnel/encode.js';
import type { FrameReader } from '../../protocols/tunnel/frame-reader.js';
import type { DataFrame, Hello } from '../../protocols/tunnel/messages.js';
import { REASON } from '../../protocols/tunnel/wire.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { Connections } from '../serve/connections.js';
import { Memory } from '../serve/memory.js';
import { PeerCount, peerOf } from '../serve/peer-count.js';
import { RateLimit } from '../serve/rate-limit.js';
import { handshakeDefect, ServerCertificate } from '../serve/server-certificate.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Acknowledgements } from './acknowledgements.js';
import { Greetings } from './greetings.js';
import { OwnIds } from './own-ids.js';
import type { Session } from './session.js';
import { Sessions } from './sessions.js';
import { type TunnelConfig, type TunnelSettings, tunnelSettings } from './tunnel-config.js';
import { TunnelConnection } from './tunnel-connection.js';
import type { TunnelHost } from './tunnel-host.js';
import { TunnelTopics } from './tunnel-topics.js';

/** As much as is read at once, of a few connections and of each of many: what finds no room is held until there is some. */
const READ_BYTES = 262_144;
const READ_BYTES_OF_MANY = 65_536;
const FEW = 64;
/** How often time is looked at, at most and at least. */
const LOOK_MS = { least: 10, most: 1_000 } as const;
/** Clients that are remembered for each connection that may be open. */
const REMEMBERED = 4;
/** Clients that a status page shows. */
const SHOWN = 64;

/**
 * Takes frames over the tunnel protocol (host/protocols/tunnel.md), over TCP or TLS. A frame's payload is that
 * of the DATA frame; its topic what the client names, else `<source>/<client>`; its properties are `peer` (the
 * address) and `client`; its time the client's, else when it came.
 *
 * A frame is acknowledged when every sink has confirmed or spooled what became of it. A client that connects
 * again is told what was taken: nothing is lost, and nothing comes twice. When no slab is free nothing is read.
 * A frame that cannot be used (too large for a slab, a topic that is none) is refused: counted, said, and
 * acknowledged, as it would come again for ever.
 */
export class TunnelSource implements Source {
  readonly repeats = false;
  readonly names = new OwnIds();
  readonly #name: string;
  readonly #config: TunnelConfig;
  readonly #settings: TunnelSettings;
  readonly #ingress: Ingress;
  readonly #topics: TunnelTopics;
  readonly #sessions: Sessions;
  readonly #count: PeerCount;
  readonly #server: Server | TlsServer;
  readonly #certificate: ServerCertificate | undefined;
  readonly #host: TunnelHost;
  readonly #token: Buffer | undefined;
  readonly #connections = new Connections<TunnelConnection>();
  /** Those whose frame found no room, the longest first. */
  readonly #blocked = new Set<TunnelConnection>();
  readonly #acknowledgements = new Acknowledgements();
  readonly #greetings = new Greetings();
  #port: number;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #fault: Fault | undefined;
  #lastFrame = 0;
  readonly #time = new Stamp();
  #timer: NodeJS.Timeout | undefined;

  /** @throws SluiceError SLUICE_TLS_CERTIFICATE */
  constructor(name: string, config: TunnelConfig, ingress: Ingress, clock: Clock = systemClock()) {
    this.#name = name;
    this.#config = config;
    this.#settings = tunnelSettings(config);
    this.#ingress = ingress;
    this.#port = config.port;
    this.#topics = new TunnelTopics(name, ingress);
    this.#sessions = new Sessions(this.#settings.connections * REMEMBERED);
    this.#count = new PeerCount(this.#settings.connections, this.#settings.connectionsPerPeer);
    this.#token = config.token === undefined ? undefined : Buffer.from(config.token, 'latin1');
    const reads = config.tls === undefined ? Buffer.allocUnsafeSlow(READ_BYTES) : undefined;
    const readsOfMany = reads?.subarray(0, READ_BYTES_OF_MANY);
    const memory = new Memory(this.#settings, this.#settings.maxFrame);
    this.#host = {
      settings: this.#settings,
      rate: new RateLimit(this.#settings.totalRate),
      reads: () => (this.#connections.size < FEW ? reads : readsOfMany),
      steady: clock.steady,
      wall: clock.wall,
      attach: (hello, connection) => this.#attach(hello, connection),
      push: (connection, frame, data, receivedAt) => this.#push(connection, frame, data, receivedAt),
      blocked: connection => void this.#blocked.add(connection),
      greetSoon: connection => this.#greetings.soon(connection),
      holds: (bytes, peer) => memory.holds(bytes, peer),
      skipped: code => this.#ingress.skipped(code),
      failed: (code, message, peer) => this.#failed(code, message, peer),
      closed: connection => this.#closed(connection),
    };
    const options = { noDelay: true };
    if (config.tls === undefined) {
      this.#server = createServer(options, socket => {
        const peer = peerOf(socket);
        if (this.#enter(socket, peer)) this.#accept(socket, peer);
      });
    } else {
      this.#certificate = new ServerCertificate(config.tls, `${this.#setting}.tls`);
      const { helloMs } = this.#settings;
      const tls = { ...options, ...this.#certificate.load(), handshakeTimeout: helloMs };
      const server = createTlsServer(tls, socket => this.#accept(socket, peerOf(socket)));
      server.on('connection', (socket: Socket) => {
        const peer = peerOf(socket);
        if (this.#enter(socket, peer)) socket.once('close', () => this.#count.leave(peer));
      });
      server.on('tlsClientError', (error, socket) => {
        const peer = peerOf(socket);
        this.#failed(
          'SLUICE_SOURCE_TLS',
          `${peer} did not get through the TLS handshake: ${handshakeDefect(error)}`,
          peer,
        );
      });
      this.#server = server;
    }
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async start(): Promise<void> {
    this.#port = await listen(this.#server, this.#config, `The source ${this.#name}`, this.#setting);
    this.#server.on('error', error => {
      this.#failed(
        'SLUICE_LISTEN_FAILED',
        `${this.#where}: a connection could not be taken: ${error.message}`,
      );
    });
    const events = {
      renewed: () => this.#ingress.connected(this.#where, 'has a new certificate'),
      failed: (fault: Fault) => this.#failed(fault.code, fault.message),
    };
    this.#certificate?.watch(this.#server as TlsServer, events, this.#settings.lookMs);
    this.#state = 'connected';
    this.#ingress.connected(this.#where, 'listens for tunnels');
  }

  get port(): number {
    return this.#port;
  }

  resume(): void {
    for (const connection of [...this.#blocked]) {
      this.#blocked.delete(connection);
      // It is back among the blocked if there is no room for it; then there is none for those behind it.
      connection.resume();
      if (this.#blocked.has(connection)) return;
    }
  }

  delivered(sequence: number): void {
    this.#acknowledgements.confirmed = sequence;
    this.names.delivered(sequence, this.#acknowledgements.add);
  }

  stop(): Promise<void> {
    if (this.#state === 'connected') this.#server.close();
    this.#state = 'stopped';
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#certificate?.stop();
    this.#blocked.clear();
    for (const connection of this.#connections) connection.stop();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#acknowledgements.send();
    await this.#connections.close();
  }

  /** The address that is listened on, then clients that are connected. */
  state(): readonly SourcePeer[] {
    const own = { name: this.#where, state: this.#state, lastFrame: this.#lastFrame };
    const clients: SourcePeer[] = [];
    for (const connection of this.#connections) {
      if (clients.length === SHOWN) break;
      const { session } = connection;
      if (session?.line === connection)
        clients.push({ name: session.client, state: 'connected', lastFrame: session.lastFrame });
    }
    return [this.#fault === undefined ? own : { ...own, fault: this.#fault }, ...clients];
  }

  get #where(): string {
    return `${this.#config.host}:${this.#port}`;
  }

  get #setting(): string {
    return `sources.${this.#name}.tunnel`;
  }

  /** Counts a connection before anything of it is read; false: it was turned away. */
  #enter(socket: Socket, peer: string): boolean {
    const full = this.#state === 'stopped' ? 'the gateway stops' : this.#count.enter(peer);
    if (full === undefined) return true;
    if (this.#state !== 'stopped')
      this.#failed('SLUICE_SOURCE_CONNECTIONS', `${peer} was turned away: ${full}`, peer);
    socket.on('error', () => {});
    if (this.#config.tls === undefined) socket.write(encodeClose({ reason: REASON.full, text: full }));
    socket.destroySoon();
    return false;
  }

  #accept(socket: Socket, peer: string): void {
    // A TLS handshake may end when the source has.
    if (this.#state === 'stopped') {
      socket.destroy();
      return;
    }
    this.#connections.add(new TunnelConnection(this.#host, socket, peer));
    if (this.#timer !== undefined) return;
    const { helloMs, frameMs, keepAliveMs } = this.#settings;
    const every = Math.min(helloMs, frameMs, keepAliveMs) / 4;
    this.#timer = setInterval(() => this.#look(), Math.max(LOOK_MS.least, Math.min(LOOK_MS.most, every)));
    this.#timer.unref();
  }

  #look(): void {
    const now = this.#host.steady();
    for (const connection of this.#connections) connection.look(now);
  }

  #attach({ client, session: id, first, token }: Hello, connection: TunnelConnection): Session | undefined {
    if (this.#token !== undefined && !isSame(Buffer.from(token, 'latin1'), this.#token)) return undefined;
    const { session, lost } = this.#sessions.attach(client, id, first);
    if (lost > 0) {
      const message = `${client} (${connection.peer}) gave up ${lost} frames before they were taken`;
      this.#ingress.skipped('SLUICE_SOURCE_GAP', lost);
      this.#failed('SLUICE_SOURCE_GAP', message, connection.peer);
    }
    const before = session.line;
    session.line = connection;
    before?.close('SLUICE_SOURCE_REPLACED', `connected again from ${connection.peer}`, REASON.replaced);
    return session;
  }

  #push(connection: TunnelConnection, frame: FrameReader, data: DataFrame, receivedAt: number): boolean {
    const session = connection.session!;
    const { bytes } = frame;
    const named = data.topicEnd > data.topicStart;
    const topic = named
      ? this.#topics.named(bytes, data.topicStart, data.topicEnd)
      : this.#topics.topicOf(connection);
    if (topic < 0) {
      this.#refuse(connection, 'SLUICE_SOURCE_MESSAGE', `its topic ${this.#topics.defect}`);
      return true;
    }
    const properties = this.#topics.propertiesOf(connection);
    const time = frame.isStamped ? frame.stamp(this.#time) : this.#time.set(receivedAt);
    try {
      const sequence = this.#ingress.push(topic, time, bytes, data.payloadStart, data.payloadEnd, properties);
      if (sequence === 0) return false;
      session.take(sequence);
      session.lastFrame = this.#lastFrame = receivedAt;
      this.names.add(sequence, session);
      if (data.trace >= 0) this.names.traced(bytes, data.trace);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_FRAME_TOO_LARGE') throw thrown;
      this.#refuse(connection, thrown.code, thrown.message);
      return true;
    }
    return true;
  }

  /** Acknowledged in its turn, as it would come again for ever. */
  #refuse({ session, peer }: TunnelConnection, code: Fault['code'], why: string): void {
    session!.take(0);
    this.#ingress.skipped(code);
    this.#failed(code, `frame ${session!.taken} of ${session!.client} (${peer}) was left out: ${why}`, peer);
    this.#acknowledgements.add(session!);
  }

  #closed(connection: TunnelConnection): void {
    const { session } = connection;
    if (session?.line === connection) session.line = undefined;
    if (this.#config.tls === undefined) this.#count.leave(connection.peer);
    this.#topics.release(connection);
    this.#blocked.delete(connection);
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #failed(code: Fault['code'], message: string, peer?: string): void {
    this.#fault = { code, message: `${this.#name}: ${message}` };
    this.#ingress.failed(this.#fault, peer);
  }
}

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
