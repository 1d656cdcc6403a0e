import { createServer, type Server, type Socket } from 'node:net';
import { type Fault, Stamp } from '../../../runtime/index.js';
import { listen } from '../../listen.js';
import { EXCEPTION, type WriteRequest } from '../../protocols/modbus-write.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { Connections } from '../serve/connections.js';
import { PeerCount, peerOf } from '../serve/peer-count.js';
import { PeerRates } from '../serve/peer-rates.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Client, type ClientHost } from './client.js';
import { type ModbusServerConfig, type ServerSettings, serverSettings } from './server-config.js';
import { WriteTopics } from './write-topics.js';

/** A pause in which a peer that is gone without a word is asked whether it is there. */
const KEEP_ALIVE_MS = 60_000;
/**
 * As much as is read at once, and so the most that is held of a connection that is not read on; and what a socket buffers of
 * answers that are not taken before it says so.
 */
const BUFFER_BYTES = 4_096;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Modbus TCP, server side: devices connect and write (functions 5, 6, 15 and 16). Each write becomes one
 * frame whose payload is a whole MBAP ADU, the answer to a read of the same addresses (function 1 or 3, same
 * transaction and unit), under the topic that such a read has, so that plugins need not know the difference.
 *
 * A device gets its answer when every sink has confirmed what became of the frame. A write that finds no room,
 * or is not confirmed, within `timeout` is answered with exception 6 (server device busy): the device comes
 * again. One that had been taken by then may so arrive twice.
 *
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.2 and 4.4.
 */
export class ModbusServer implements Source {
  readonly repeats = false;
  readonly #config: ModbusServerConfig;
  readonly #settings: ServerSettings;
  readonly #name: string;
  readonly #ingress: Ingress;
  readonly #clock: Clock;
  readonly #topics: WriteTopics;
  readonly #host: ClientHost;
  readonly #server: Server;
  readonly #clients = new Connections<Client>();
  readonly #count: PeerCount;
  readonly #rates: PeerRates;
  readonly #time = new Stamp();
  /** Those whose write found no room, the longest first. */
  readonly #blocked = new Set<Client>();
  #port: number;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #fault: Fault | undefined;
  #lastFrame = 0;
  #confirmed = 0;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = NEVER;

  constructor(name: string, config: ModbusServerConfig, ingress: Ingress, clock: Clock = systemClock()) {
    this.#name = name;
    this.#config = config;
    this.#settings = serverSettings(config);
    this.#ingress = ingress;
    this.#clock = clock;
    this.#topics = new WriteTopics(name, ingress);
    // Of all of them together `#makeRoom` decides, as one may make way for another.
    this.#count = new PeerCount(Number.POSITIVE_INFINITY, this.#settings.connectionsPerPeer);
    this.#rates = new PeerRates(this.#settings, 'writes');
    this.#port = config.port;
    const options = {
      // A device that closes its sending side behind a write still gets its answer.
      allowHalfOpen: true,
      highWaterMark: BUFFER_BYTES,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      noDelay: true,
    };
    this.#server = createServer(options, socket => this.#accept(socket));
    this.#host = {
      reads: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      settings: this.#settings,
      clock,
      confirmed: () => this.#confirmed,
      refusal: request => this.#refusal(request),
      tooFast: (peer, now) => this.#rates.take(peer, now),
      push: (client, request, receivedAt) => this.#push(client, request, receivedAt),
      blocked: client => void this.#blocked.add(client),
      due: at => this.#due(at),
      refused: (code, message, peer) => {
        ingress.skipped(code);
        this.#failed(code, message, peer);
      },
      failed: (code, message, peer) => this.#failed(code, message, peer),
      closed: client => this.#closed(client),
    };
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
    this.#state = 'connected';
    this.#ingress.connected(this.#where, 'listens for devices that write');
  }

  resume(): void {
    for (const client of [...this.#blocked]) {
      this.#blocked.delete(client);
      // It is back among the blocked if there is no room for it; then there is none for those behind it.
      client.resume();
      if (this.#blocked.has(client)) return;
    }
  }

  delivered(sequence: number): void {
    this.#confirmed = sequence;
    for (const client of this.#clients) client.delivered();
  }

  sendBack(sequence: number): boolean {
    for (const client of this.#clients) if (client.sendBack(sequence)) return true;
    return false;
  }

  stop(): Promise<void> {
    if (this.#state === 'connected') this.#server.close();
    this.#state = 'stopped';
    this.#blocked.clear();
    for (const client of this.#clients) client.stop();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    // Nothing is due any more.
    this.#dueAt = 0;
    await this.#clients.close();
  }

  /** The address that is listened on, then the devices that are connected. */
  state(): readonly SourcePeer[] {
    const own = { name: this.#where, state: this.#state, lastFrame: this.#lastFrame };
    const last = new Map<string, number>();
    for (const { peer, lastFrame } of this.#clients) last.set(peer, Math.max(last.get(peer) ?? 0, lastFrame));
    return [
      this.#fault === undefined ? own : { ...own, fault: this.#fault },
      ...[...last].map(([name, lastFrame]) => ({ name, state: 'connected' as const, lastFrame })),
    ];
  }

  get #where(): string {
    return `${this.#config.host}:${this.#port}`;
  }

  get #setting(): string {
    return `sources.${this.#name}.modbus.listen`;
  }

  #accept(socket: Socket): void {
    const peer = peerOf(socket);
    const full = this.#state === 'stopped' ? undefined : this.#count.enter(peer);
    if (full !== undefined)
      this.#failed('SLUICE_SOURCE_CONNECTIONS', `${peer} was turned away: ${full}`, peer);
    if (this.#state === 'stopped' || full !== undefined) {
      socket.destroy();
      return;
    }
    if (!this.#makeRoom(socket)) {
      this.#count.leave(peer);
      socket.destroy();
      return;
    }
    this.#clients.add(new Client(this.#host, socket));
  }

  /**
   * 4.2.1.1: with all connections in use the one that has been silent longest makes way for the new one.
   * False if none of them is silent.
   */
  #makeRoom(socket: Socket): boolean {
    const { connections } = this.#settings;
    if (this.#clients.size < connections) return true;
    let quietest: Client | undefined;
    for (const client of this.#clients) {
      if ((client.silentSince ?? NEVER) < (quietest?.silentSince ?? NEVER)) quietest = client;
    }
    if (quietest === undefined) {
      const peer = peerOf(socket);
      const message = `${peer} was turned away: all ${connections} connections are in use`;
      this.#failed('SLUICE_SOURCE_CONNECTIONS', message, peer);
      return false;
    }
    const why = `was silent longest of the ${connections} that may be connected, and another came`;
    quietest.close('SLUICE_SOURCE_CONNECTIONS', why);
    this.#clients.delete(quietest);
    return true;
  }

  #closed(client: Client): void {
    this.#clients.delete(client);
    this.#blocked.delete(client);
    this.#count.leave(client.peer);
    this.#topics.release(client);
  }

  #refusal(request: WriteRequest): number {
    const { units, coils, holding } = this.#settings;
    if (units[request.unit] === 0) {
      request.defect = `and \`${this.#setting}.units\` leaves that unit out`;
      return EXCEPTION.noPath;
    }
    const allowed = request.isCoils ? coils : holding;
    const last = request.first + request.count - 1;
    if (request.first >= allowed.first && last <= allowed.last) return 0;
    const what = request.isCoils ? 'coils' : 'holding';
    request.defect = `addresses ${request.first}-${last}, and \`${this.#setting}.${what}\` has ${allowed.first}-${allowed.last}`;
    return EXCEPTION.illegalAddress;
  }

  #push(client: Client, request: WriteRequest, receivedAt: number): number {
    const topic = this.#topics.of(request);
    const list = this.#topics.propertiesOf(client);
    const time = this.#time.set(receivedAt);
    const sequence = this.#ingress.push(topic, time, request.reply, 0, request.replyBytes, list);
    if (sequence > 0) this.#lastFrame = receivedAt;
    return sequence;
  }

  /** One timer for all: set for what is due first, and not touched by what is due later. */
  #due(at: number): void {
    if (at >= this.#dueAt) return;
    this.#dueAt = at;
    clearTimeout(this.#timer);
    const wait = Math.max(1, Math.ceil(at - this.#clock.steady()));
    this.#timer = setTimeout(() => {
      // If our own loop was late, what is waited for may have come already: let it be seen before judging.
      setImmediate(this.#look);
    }, wait);
  }

  readonly #look = (): void => {
    if (this.#dueAt === 0) return;
    this.#dueAt = NEVER;
    const now = this.#clock.steady();
    // Each says again when it wants to be looked at.
    for (const client of this.#clients) client.look(now);
  };

  #failed(code: Fault['code'], message: string, peer?: string): void {
    this.#fault = { code, message: `${this.#name}: ${message}` };
    this.#ingress.failed(this.#fault, peer);
  }
}
