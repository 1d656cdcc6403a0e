import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Fault, faultOf, refuseHeaders } from '../../../runtime/index.js';
import { listen } from '../../listen.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { PeerCount, peerOf } from '../serve/peer-count.js';
import { PeerRates } from '../serve/peer-rates.js';
import { handshakeDefect, ServerCertificate } from '../serve/server-certificate.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Answers, type PolicyInForce } from './answers.js';
import { type BodyLimits, badRequest, noMemory, readBody } from './body.js';
import { Delivery, OVERHEAD_BYTES } from './delivery.js';
import { type HttpConfig, type HttpSettings, httpSettings } from './http-config.js';
import { HttpNames, senderOf, topicBytes } from './http-names.js';
import { COME_AGAIN, type Refusal } from './refusal.js';

const SENT_BACK =
  'a plugin behind the source has failed too often and is not called now: send it again later';
const HEADER_BYTES = 8_192;
const HEADERS_MS = 5_000;
/** How often time is looked at. */
const LOOK_MS = 250;
/** How long a peer whose answer is out may take to hang up when the source closes. */
const GOODBYE_MS = 200;
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
 * where it is given.
 *
 * Answered with 202 when every sink has confirmed or spooled what became of all its frames; with `Prefer:
 * respond-async` (RFC 7240) as soon as they are taken. What is not taken is answered with a problem document, counted
 * and said. A request that was not confirmed in time may have been taken: sent again, its frames come twice.
 */
export class HttpSource implements Source {
  readonly repeats = false;
  readonly #name: string;
  readonly #config: HttpConfig;
  readonly #settings: HttpSettings;
  readonly #ingress: Ingress;
  readonly #policy: PolicyInForce;
  readonly #answers: Answers;
  readonly #clock: Clock;
  readonly #names: HttpNames;
  readonly #count: PeerCount;
  readonly #rates: PeerRates;
  readonly #token: Buffer | undefined;
  readonly #certificate: ServerCertificate | undefined;
  readonly #server: Server | TlsServer | undefined;
  readonly #limits: BodyLimits;
  /** Handed over, in the order of their sequences. */
  #waiting: Delivery[] = [];
  /** Without room, in the order in which they came. */
  #blocked: Delivery[] = [];
  #port: number | undefined;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #fault: Fault | undefined;
  #lastFrame = 0;
  #holding = 0;
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
    this.#settings = httpSettings(config);
    this.#ingress = ingress;
    this.#policy = policy;
    this.#answers = new Answers(policy, fault =>
      this.#failed(fault.code, `an answer was dropped: ${fault.message}`),
    );
    this.#clock = clock;
    this.#names = new HttpNames(ingress);
    this.#count = new PeerCount(this.#settings.connections, this.#settings.connectionsPerPeer);
    this.#rates = new PeerRates(this.#settings.rate);
    this.#token = config.token === undefined ? undefined : sha256(config.token);
    this.#limits = {
      maxBody: this.#settings.maxBody,
      holds: (bytes: number) => {
        this.#holding += bytes;
        return this.#holding <= this.#settings.memory;
      },
      gone: (bytes: number) =>
        this.#failed(
          'SLUICE_SOURCE_DISCONNECTED',
          `a sender went away in the middle of a body, after ${bytes} bytes`,
        ),
    };
    if (config.listen === undefined) return;
    const { tls } = config.listen;
    const options = {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_MS, this.#settings.timeoutMs),
      requestTimeout: this.#settings.timeoutMs,
      connectionsCheckingInterval: Math.min(1_000, this.#settings.timeoutMs),
      keepAliveTimeout: this.#settings.timeoutMs,
      noDelay: true,
    };
    if (tls === undefined) this.#server = createServer(options);
    else {
      this.#certificate = new ServerCertificate(tls, `${this.#setting}.tls`);
      this.#server = createTlsServer({ ...options, ...this.#certificate.load() });
      this.#server.on('tlsClientError', (error, socket) => {
        const peer = peerOf(socket);
        this.#failed(
          'SLUICE_SOURCE_TLS',
          `${peer} did not get through the TLS handshake: ${handshakeDefect(error)}`,
          peer,
        );
      });
    }
    this.#server.on('connection', (socket: Socket) => this.#enter(socket));
    this.#server.on('request', (request, response) => this.handle(request, response));
    this.#server.on('checkContinue', (request, response) => this.handle(request, response));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      this.#broken(error, socket),
    );
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async start(): Promise<void> {
    const { listen: address } = this.#config;
    if (address !== undefined && this.#server !== undefined) {
      this.#port = await listen(this.#server, address, `The source ${this.#name}`, this.#setting);
      this.#server.on('error', ({ message }) =>
        this.#failed('SLUICE_LISTEN_FAILED', `${this.#where}: a connection could not be taken: ${message}`),
      );
      const events = {
        renewed: () => this.#ingress.connected(this.#where, 'has a new certificate'),
        failed: (fault: Fault) => this.#failed(fault.code, fault.message),
      };
      this.#certificate?.watch(this.#server as TlsServer, events, this.#settings.lookMs);
    }
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, this.#settings.timeoutMs / 2));
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
    const topic = this.#judge(request, peer);
    if (!Buffer.isBuffer(topic)) {
      this.#refuse(request, response, peer, topic);
      return;
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    readBody(
      request,
      this.#limits,
      body => this.#take(request, response, peer, topic, body),
      why => this.#refuse(request, response, peer, why),
    );
  }

  resume(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const [index, delivery] of blocked.entries()) {
      if (!this.#push(delivery)) {
        this.#blocked = [delivery, ...blocked.slice(index + 1)];
        return;
      }
    }
  }

  delivered(sequence: number): void {
    const first = this.#waiting.findIndex(delivery => delivery.sequence > sequence);
    const count = first < 0 ? this.#waiting.length : first;
    if (count === 0) return;
    for (const delivery of this.#waiting.splice(0, count)) {
      if (delivery.isSentBack) this.#give(delivery, 'SLUICE_BREAKER_OPEN', SENT_BACK);
      else this.#accept(delivery);
    }
  }

  sendBack(sequence: number): boolean {
    const delivery = this.#waiting.find(each => each.owns(sequence));
    if (delivery === undefined) return false;
    delivery.isSentBack = true;
    return true;
  }

  stop(): Promise<void> {
    this.#server?.close();
    this.#certificate?.stop();
    this.#state = 'stopped';
    this.#giveUpBlocked();
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#giveUpBlocked();
    const message = 'the gateway stops before the sinks have confirmed';
    for (const delivery of this.#waiting) this.#give(delivery, 'SLUICE_SOURCE_UNCONFIRMED', message);
    this.#waiting = [];
    this.#server?.closeIdleConnections();
    setTimeout(() => this.#server?.closeAllConnections(), GOODBYE_MS).unref();
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

  /** The topic of the request, or why its body need not be read. */
  #judge(request: IncomingMessage, peer: string): Buffer | Refusal {
    const { headers, method } = request;
    if (this.#state !== 'connected') return NOT_RUNNING;
    const unknown = this.#judgeSender(request);
    if (unknown !== undefined) return unknown;
    const topic = this.#topicOf(request);
    if (!Buffer.isBuffer(topic)) return topic;
    if (method !== 'POST')
      return badRequest(405, `${method} is not taken here, only POST`, { allow: 'POST' });
    try {
      // Each value of a name that comes twice: of some of them `headers` has the first one only.
      refuseHeaders('request', request.headersDistinct, this.#policy.current);
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      return { status: 400, code, message };
    }
    const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (coding !== 'identity' && coding !== 'gzip') {
      const message = `the content coding ${JSON.stringify(coding.slice(0, 60))} is not taken, only gzip or none`;
      return badRequest(415, message, { 'accept-encoding': 'gzip, identity' });
    }
    const unsaid = this.#answers.cannotAccept;
    if (unsaid !== undefined) return { status: 503, ...unsaid, headers: COME_AGAIN };
    const { maxBody } = this.#settings;
    if (Number(headers['content-length'] ?? 0) > maxBody) {
      const message = `the body has ${headers['content-length']} bytes, and ${maxBody} are the most (\`maxBody\`)`;
      return { status: 413, code: 'SLUICE_FRAME_TOO_LARGE', message };
    }
    if (!this.#rates.take(peer, this.#clock.steady())) {
      const message = `more than ${this.#settings.rate} requests a second (\`rate\`)`;
      return { status: 429, code: 'SLUICE_SOURCE_RATE', message, headers: COME_AGAIN };
    }
    return topic;
  }

  #judgeSender({ headers }: IncomingMessage): Refusal | undefined {
    if (this.#token === undefined) {
      // A page in somebody's browser can reach this machine's own addresses; it cannot leave this header out.
      if (headers.origin === undefined) return undefined;
      const message = 'the request comes from a web page, and the source has no `token`';
      return { status: 403, code: 'SLUICE_SOURCE_TOKEN', message };
    }
    const given = /^bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (timingSafeEqual(sha256(given ?? ''), this.#token) && given !== undefined) return undefined;
    const message =
      headers.authorization === undefined
        ? 'the request carries no token'
        : 'the token is not that of this source';
    const challenge = { 'www-authenticate': 'Bearer realm="sluice ingest"' };
    return { status: 401, code: 'SLUICE_SOURCE_TOKEN', message, headers: challenge };
  }

  #topicOf({ url = '' }: IncomingMessage): Buffer | Refusal {
    const path = url.split('?', 1)[0]!;
    const base = `/ingest/${this.#name}`;
    if (path !== base && !path.startsWith(`${base}/`))
      return badRequest(404, `there is no such path: this is POST /ingest/${this.#name}`);
    const rest = path.slice(base.length).replace(/\/+$/, '');
    const none = 'the path gives no topic: it has no +, #, NUL, and its %-escapes are UTF-8';
    try {
      return topicBytes(`${this.#name}${decodeURIComponent(rest)}`) ?? badRequest(400, none);
    } catch {
      return badRequest(400, none);
    }
  }

  #take(request: IncomingMessage, response: ServerResponse, peer: string, topic: Buffer, body: Buffer): void {
    const bytes = body.length + OVERHEAD_BYTES;
    const fits = this.#limits.holds(OVERHEAD_BYTES);
    // Its body may have come to an end after `stop`.
    if (!fits || this.#state !== 'connected') {
      this.#limits.holds(-bytes);
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
      },
      this.#clock.steady() + this.#settings.timeoutMs,
    );
    // Those that came before wait too.
    if (this.#blocked.length > 0 || !this.#push(delivery)) this.#blocked.push(delivery);
  }

  /** True if there is nothing left to hand over. */
  #push(delivery: Delivery): boolean {
    try {
      if (!delivery.push(this.#ingress, this.#names)) return false;
      this.#release(delivery, OVERHEAD_BYTES);
    } catch (thrown) {
      this.#release(delivery);
      const { code, message } = faultOf(thrown);
      const status = code === 'SLUICE_FRAME_TOO_LARGE' ? 413 : 500;
      this.#refuse(delivery.request, delivery.response, delivery.peer, { status, code, message });
      return true;
    }
    if (delivery.taken === 0) {
      this.#release(delivery);
      const none = badRequest(400, 'the body has no line with anything in it');
      this.#refuse(delivery.request, delivery.response, delivery.peer, none);
      return true;
    }
    this.#lastFrame = this.#clock.wall();
    if (delivery.isAsync) this.#accept(delivery);
    else this.#waiting.push(delivery);
    return true;
  }

  #look(): void {
    const now = this.#clock.steady();
    const { timeoutMs } = this.#settings;
    const late = (delivery: Delivery): boolean => delivery.deadline <= now;
    for (const delivery of this.#blocked.filter(late)) {
      const message = `the routes behind the source have been full for ${timeoutMs} ms; ${delivery.taken} frames of the request were taken`;
      this.#give(delivery, 'SLUICE_SOURCE_BACKPRESSURE', message);
    }
    this.#blocked = this.#blocked.filter(delivery => !late(delivery));
    for (const delivery of this.#waiting.filter(late)) {
      const message = `no sink confirmed the request within ${timeoutMs} ms; its ${delivery.taken} frames were taken, and sent again they come twice`;
      this.#give(delivery, 'SLUICE_SOURCE_UNCONFIRMED', message);
    }
    this.#waiting = this.#waiting.filter(delivery => !late(delivery));
  }

  #accept(delivery: Delivery): void {
    this.#release(delivery);
    this.#answers.accept(delivery);
  }

  /** It needs its body no more. @param rest bytes that it keeps in hand all the same */
  #release(delivery: Delivery, rest = 0): void {
    this.#limits.holds(rest - delivery.holding);
    delivery.holding = rest;
    delivery.dropBody();
  }

  #giveUpBlocked(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const delivery of blocked) {
      const taken = delivery.taken === 0 ? '' : `; ${delivery.taken} frames of the request were taken`;
      this.#give(delivery, 'SLUICE_SOURCE_BACKPRESSURE', `the gateway stops${taken}`);
    }
  }

  #give(delivery: Delivery, code: Fault['code'], message: string): void {
    const { request, response, peer } = delivery;
    this.#release(delivery);
    this.#refuse(request, response, peer, { status: 503, code, message, headers: COME_AGAIN });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, peer: string, refusal: Refusal): void {
    this.#ingress.skipped(refusal.code);
    this.#failed(refusal.code, `${peer} got ${refusal.status}: ${refusal.message}`, peer);
    this.#answers.refuse(request, response, refusal);
  }

  #enter(socket: Socket): void {
    const peer = peerOf(socket);
    const full = this.#count.enter(peer);
    if (full === undefined) {
      socket.once('close', () => this.#count.leave(peer));
      return;
    }
    this.#failed('SLUICE_SOURCE_CONNECTIONS', `${peer} was turned away: ${full}`, peer);
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
      this.#failed(code, `${peer} ${why}; connection closed`, peer);
    }
    this.#answers.refuseBroken(error, socket, code, HEADER_BYTES / 1024);
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

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
