import type { RemoteInfo, Socket } from 'node:dgram';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Allowance } from './allowance.js';
import { type CoapConfig, coapSettings } from './coap-config.js';
import { Complaints } from './complaints.js';
import { Datagrams, udpSocket } from './datagrams.js';
import { Endpoint } from './endpoint.js';
import { Intake } from './intake.js';
import { Replies } from './replies.js';
import { Requests } from './requests.js';
import { Shelf } from './shelf.js';

const LOOK_MS = 100;

/**
 * A CoAP server on UDP (RFC 7252, 7641, 7959), without DTLS. Devices POST or PUT; each body, put together from its
 * blocks, becomes a frame: topic `<source>/<path>`, properties `peer` and `content-type`. What a path got last can be
 * read (GET) and observed.
 *
 * A confirmable request is answered with 2.04 when every sink has confirmed or spooled what became of its frame: with
 * its acknowledgement if that is soon, else by itself. A request that comes again within its lifetime gives no second
 * frame. An address that has not shown that it is there is sent at most three times the bytes that came from it.
 */
export class CoapSource implements Source {
  readonly repeats = false;
  readonly #name: string;
  readonly #config: CoapConfig;
  readonly #ingress: Ingress;
  readonly #clock: Clock;
  readonly #datagrams: Datagrams;
  readonly #complaints: Complaints;
  readonly #endpoint: Endpoint;
  readonly #requests: Requests;
  readonly #intake: Intake;
  readonly #lookMs: number;
  #port: number;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #timer: NodeJS.Timeout | undefined;

  constructor(
    name: string,
    config: CoapConfig,
    ingress: Ingress,
    clock: Clock = systemClock(),
    socket: Socket = udpSocket(config.host),
  ) {
    this.#name = name;
    this.#config = config;
    this.#ingress = ingress;
    this.#clock = clock;
    this.#port = config.port;
    const settings = coapSettings(config);
    this.#lookMs = Math.min(LOOK_MS, settings.separateMs);
    const allowance = new Allowance();
    const complaints = new Complaints(name, ingress);
    this.#complaints = complaints;
    this.#datagrams = new Datagrams(socket);
    const endpoint = new Endpoint(this.#datagrams, allowance, complaints, clock);
    this.#endpoint = endpoint;
    const replies = new Replies(endpoint, allowance, complaints, clock);
    const shelf = new Shelf(settings, replies, endpoint.confirmables, allowance, complaints, clock);
    const intake = new Intake(name, settings, ingress, clock, replies, complaints, (path, body, format) =>
      shelf.put(path, body, format),
    );
    this.#intake = intake;
    this.#requests = new Requests(settings, clock, {
      endpoint,
      allowance,
      replies,
      intake,
      shelf,
      complaints,
    });
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async start(): Promise<void> {
    // Once: a start that found the port in use is tried again.
    await this.#bind();
    this.#datagrams.receive(
      (bytes, peer) => this.#take(bytes, peer),
      ({ message }) => this.#complaints.failed('SLUICE_LISTEN_FAILED', `${this.#where}: ${message}`),
    );
    this.#timer = setInterval(() => {
      const now = this.#clock.steady();
      this.#endpoint.confirmables.look(now);
      this.#intake.look(now);
    }, this.#lookMs);
    this.#timer.unref();
    this.#state = 'connected';
    this.#ingress.connected(this.#where, 'listens for CoAP');
  }

  get port(): number {
    return this.#port;
  }

  resume(): void {
    // A request that finds no room is told to come again: nothing waits here.
  }

  delivered(sequence: number): void {
    this.#intake.delivered(sequence);
  }

  sendBack(sequence: number): boolean {
    return this.#intake.sendBack(sequence);
  }

  stop(): Promise<void> {
    this.#state = 'stopped';
    this.#requests.isStopped = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#intake.close();
    this.#endpoint.confirmables.clear();
    return this.#datagrams.close();
  }

  state(): readonly SourcePeer[] {
    const own = { name: this.#where, state: this.#state, lastFrame: this.#intake.lastFrame };
    const fault = this.#complaints.last;
    return [fault === undefined ? own : { ...own, fault }];
  }

  #take(bytes: Buffer, peer: RemoteInfo): void {
    try {
      const message = this.#endpoint.receive(bytes, peer);
      if (message !== undefined) this.#requests.take(message, peer);
    } catch (thrown) {
      // A defect of ours: nobody stands behind the socket's callback, and one datagram must not end the gateway.
      const { code, message } = faultOf(thrown);
      this.#complaints.failed(code, `a request of ${peer.address} is left without an answer: ${message}`);
    }
  }

  get #where(): string {
    return `${this.#config.host}:${this.#port}`;
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#config;
    try {
      this.#port = await this.#datagrams.bind(host, port);
    } catch (thrown) {
      const { code: why, message: text } = thrown as NodeJS.ErrnoException;
      const code = why === 'EADDRINUSE' ? 'SLUICE_LISTEN_IN_USE' : 'SLUICE_LISTEN_FAILED';
      const message = `The source ${this.#name} cannot listen on ${host}:${port} (\`sources.${this.#name}.coap\`): ${text}`;
      throw new SluiceError(code, message, { cause: thrown });
    }
  }
}
