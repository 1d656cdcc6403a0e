import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from '../../../runtime/index.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { Memory } from '../serve/memory.js';
import { peerOf } from '../serve/peer-count.js';
import { PeerRates } from '../serve/peer-rates.js';
import type { FrameNames, Ingress, Source, SourcePeer } from '../source.js';
import { traceIdOf } from '../traceparent.js';
import { Answers, type PolicyInForce } from './answers.js';
import { type BodyLimits, noMemory, readBody } from './body.js';
import { Deliveries } from './deliveries.js';
import { Delivery, OVERHEAD_BYTES } from './delivery.js';
import { type HttpConfig, type HttpSettings, httpSettings } from './http-config.js';
import { HttpNames, senderOf } from './http-names.js';
import { HEADER_BYTES, IngestServer } from './ingest-server.js';
import { COME_AGAIN, type Refusal } from './refusal.js';
import { RequestGate } from './request-gate.js';

/** How often time is looked at. */
const LOOK_MS = 250;
const BY_LINES = /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)$/;

const NOT_RUNNING: Refusal = {
  status: 503,
  code: 'SLUICE_SOURCE_BACKPRESSURE',
  message: 'the source does not run',
  headers: COME_AGAIN,
};

/**
 * Takes frames over HTTP: `POST /ingest/<source>`, on an address of its own or on that of the admin server.
 * One body is one frame; with `application/x-ndjson` each line that is not blank is one. Topic: `<source>`, with what
 * stands behind it in the path (`/ingest/plc/halle/3` gives `plc/halle/3`); properties: `peer`, and `content-type`
 * where it is given. The trace id of a header `traceparent` stays with the host.
 *
 * Answered with 202 when every sink has confirmed or spooled what became of all its frames; with `Prefer:
 * respond-async` (RFC 7240) as soon as they are taken. What is not taken is answered with a problem document, counted
 * and said. A request that was not confirmed in time may have been taken: sent again, its frames come twice.
 */
export class HttpSource implements Source {
  readonly repeats = false;
  readonly names: FrameNames;
  readonly #name: string;
  readonly #config: HttpConfig;
  readonly #settings: HttpSettings;
  readonly #ingress: Ingress;
  readonly #clock: Clock;
  readonly #answers: Answers;
  readonly #gate: RequestGate;
  readonly #memory: Memory;
  readonly #limits: BodyLimits;
  readonly #deliveries: Deliveries;
  readonly #server: IngestServer | undefined;
  #port: number | undefined;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #fault: Fault | undefined;
  #lastFrame = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @throws SluiceError SLUICE_TLS_CERTIFICATE */
  constructor(
    name: string,
    config: HttpConfig,
    ingress: Ingress,
    policy: PolicyInForce,
    clock: Clock = systemClock(),
  ) {
    this.#name = name;
    this.#config = config;
    const settings = httpSettings(config);
    this.#settings = settings;
    this.#ingress = ingress;
    this.#clock = clock;
    const answers = new Answers(policy, ({ code, message }) =>
      this.#failed(code, `an answer was dropped: ${message}`),
    );
    this.#answers = answers;
    const { maxBody, timeoutMs } = settings;
    const rates = new PeerRates(settings, 'requests');
    this.#gate = new RequestGate({ name, token: config.token, maxBody, rates, policy, answers });
    const memory = new Memory(settings, maxBody + OVERHEAD_BYTES);
    this.#memory = memory;
    this.#limits = {
      maxBody,
      holds: (bytes, peer) => memory.holds(bytes, peer),
      gone: (bytes, peer) => this.#gone(bytes, peer),
    };
    this.#deliveries = new Deliveries(ingress, new HttpNames(ingress), memory, timeoutMs, {
      accepted: delivery => this.#answers.accept(delivery),
      refused: ({ request, response, peer }, why) => this.#refuse(request, response, peer, why),
      took: () => {
        this.#lastFrame = this.#clock.wall();
      },
    });
    this.names = this.#deliveries.traces;
    if (config.listen === undefined) return;
    this.#server = new IngestServer(config.listen.tls, settings, this.#setting, {
      request: (request, response) => this.handle(request, response),
      broken: (error, socket, code) => this.#answers.refuseBroken(error, socket, code, HEADER_BYTES / 1024),
      failed: (code, message, peer) => this.#failed(code, message, peer),
      renewed: () => this.#ingress.connected(this.#where, 'has a new certificate'),
    });
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async start(): Promise<void> {
    const { listen: address } = this.#config;
    if (address !== undefined)
      this.#port = await this.#server?.listen(address, `The source ${this.#name}`, this.#setting);
    const every = Math.min(LOOK_MS, this.#settings.timeoutMs / 2);
    this.#timer = setInterval(() => this.#deliveries.look(this.#clock.steady()), every);
    this.#timer.unref();
    this.#state = 'connected';
    this.#ingress.connected(this.#where, `takes POST /ingest/${this.#name}`);
  }

  /** The admin server takes requests for it. */
  get isShared(): boolean {
    return this.#config.listen === undefined;
  }

  get port(): number | undefined {
    return this.#port;
  }

  /** One request, of our own server or of the admin's. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const peer = peerOf(request.socket);
    // A sender that goes away is told nothing; what was handed over goes on.
    response.on('error', () => {});
    const topic =
      this.#state === 'connected' ? this.#gate.judge(request, peer, this.#clock.steady()) : NOT_RUNNING;
    if (!Buffer.isBuffer(topic)) {
      this.#refuse(request, response, peer, topic);
      return;
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    readBody(
      request,
      peer,
      this.#limits,
      body => this.#take(request, response, peer, topic, body),
      why => this.#refuse(request, response, peer, why),
    );
  }

  resume(): void {
    this.#deliveries.resume();
  }

  delivered(sequence: number): void {
    this.#deliveries.delivered(sequence);
  }

  sendBack(sequence: number, code: Fault['code']): boolean {
    return this.#deliveries.sendBack(sequence, code);
  }

  stop(): Promise<void> {
    this.#server?.stop();
    this.#state = 'stopped';
    this.#deliveries.stop();
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#deliveries.close();
    this.#server?.close();
    return Promise.resolve();
  }

  state(): readonly SourcePeer[] {
    const own = { name: this.#where, state: this.#state, lastFrame: this.#lastFrame };
    return [this.#fault === undefined ? own : { ...own, fault: this.#fault }];
  }

  get #where(): string {
    const { listen: address } = this.#config;
    return address === undefined ? 'admin' : `${address.host}:${this.#port ?? address.port}`;
  }

  get #setting(): string {
    return `sources.${this.#name}.http`;
  }

  #take(request: IncomingMessage, response: ServerResponse, peer: string, topic: Buffer, body: Buffer): void {
    const fits = this.#memory.holds(OVERHEAD_BYTES, peer);
    // Its body may have come to an end after `stop`.
    if (!fits || this.#state !== 'connected') {
      this.#memory.holds(-body.length - OVERHEAD_BYTES, peer);
      this.#refuse(request, response, peer, fits ? NOT_RUNNING : noMemory());
      return;
    }
    const type = request.headers['content-type'] ?? '';
    const delivery = new Delivery(
      { request, response, peer, isAsync: prefersAsync(request.headers.prefer) },
      {
        body,
        topic,
        sender: senderOf(peer, type),
        receivedAt: this.#clock.wall(),
        byLines: BY_LINES.test(type.split(';', 1)[0]!.trim().toLowerCase()),
        trace: traceIdOf(request.headers.traceparent),
      },
      this.#clock.steady() + this.#settings.timeoutMs,
    );
    this.#deliveries.add(delivery);
  }

  #gone(bytes: number, peer: string): void {
    const message = `${peer} went away in the middle of a body, after ${bytes} bytes`;
    this.#failed('SLUICE_SOURCE_DISCONNECTED', message, peer);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, peer: string, refusal: Refusal): void {
    this.#ingress.skipped(refusal.code);
    this.#failed(refusal.code, `${peer} got ${refusal.status}: ${refusal.message}`, peer);
    this.#answers.refuse(request, response, refusal);
  }

  #failed(code: Fault['code'], message: string, peer?: string): void {
    this.#fault = { code, message: `${this.#name}: ${message}` };
    this.#ingress.failed(this.#fault, peer);
  }
}

/** Source: RFC 7240, 2 and 4.1. */
function prefersAsync(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some(one => one.split(';', 1)[0]!.trim().toLowerCase() === 'respond-async');
}
