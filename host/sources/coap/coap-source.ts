import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { generate, type NamedOption } from 'coap-packet';
import { type Fault, faultOf, SluiceError } from '../../../runtime/index.js';
import { type Block, writeBlock } from '../../protocols/coap/block.js';
import { LINK_FORMAT, mediaType } from '../../protocols/coap/content-format.js';
import { headerOf, type Message, readMessage, uint } from '../../protocols/coap/message.js';
import { HttpNames } from '../http/http-names.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { PeerRates } from '../serve/peer-rates.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Allowance } from './allowance.js';
import { Bodies } from './bodies.js';
import { type CoapConfig, type CoapSettings, coapSettings } from './coap-config.js';
import { Confirmables } from './confirmables.js';
import { Datagrams } from './datagrams.js';
import { type Exchange, Exchanges, type Peer } from './exchanges.js';
import { keyOf, Resources } from './resources.js';

const LOOK_MS = 100;
const WELL_KNOWN = '.well-known/core';
const LARGEST_BLOCK = 1_024;
const SMALLEST_BLOCK = 16;
/** What stands around a block: header, marker, ETag, Content-Format, Observe, Block2, Size2. */
const ANSWER_HEAD = 28;
const NOTHING = Buffer.alloc(0);

interface Answer {
  readonly code: string;
  readonly payload?: Buffer;
  readonly options?: NamedOption[];
}

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
  readonly #settings: CoapSettings;
  readonly #ingress: Ingress;
  readonly #clock: Clock;
  readonly #names: HttpNames;
  readonly #socket: Socket;
  readonly #datagrams: Datagrams;
  readonly #exchanges: Exchanges;
  readonly #bodies: Bodies;
  readonly #resources = new Resources();
  readonly #allowance = new Allowance();
  readonly #confirmables: Confirmables;
  readonly #rates: PeerRates;
  /** Those whose frames are not delivered, in the order of their sequences, and those among them not acknowledged. */
  #waiting: Exchange[] = [];
  #port: number;
  #state: 'waiting' | 'connected' | 'stopped' = 'waiting';
  #fault: Fault | undefined;
  #lastFrame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    name: string,
    config: CoapConfig,
    ingress: Ingress,
    clock: Clock = systemClock(),
    socket: Socket = createSocket(isIPv6(config.host) ? 'udp6' : 'udp4'),
  ) {
    this.#name = name;
    this.#config = config;
    this.#settings = coapSettings(config);
    this.#ingress = ingress;
    this.#clock = clock;
    this.#port = config.port;
    this.#names = new HttpNames(ingress);
    this.#exchanges = new Exchanges(this.#settings.remembered);
    this.#bodies = new Bodies(this.#settings.maxBody, this.#settings.memory, () =>
      this.#ingress.skipped('SLUICE_SOURCE_MEMORY'),
    );
    this.#rates = new PeerRates(this.#settings.rate);
    this.#confirmables = new Confirmables({
      send: (peer, bytes) => this.#send(peer, bytes),
      acknowledged: ({ address }, bytes) => this.#allowance.acknowledged(address, bytes),
      lost: () => this.#ingress.skipped('SLUICE_SOURCE_UNACKNOWLEDGED'),
    });
    this.#socket = socket;
    this.#datagrams = new Datagrams(socket);
    this.#socket.on('message', (bytes, remote) => this.#receive(bytes, remote));
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED */
  async start(): Promise<void> {
    await this.#bind();
    this.#socket.on('error', ({ message }) =>
      this.#failed('SLUICE_LISTEN_FAILED', `${this.#where}: ${message}`),
    );
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, this.#settings.separateMs));
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
    const first = this.#waiting.findIndex(exchange => exchange.sequence > sequence);
    const count = first < 0 ? this.#waiting.length : first;
    if (count === 0) return;
    for (const exchange of this.#waiting.splice(0, count))
      this.#answer(exchange, exchange.isSentBack ? busy() : { code: '2.04' });
  }

  sendBack(sequence: number): boolean {
    const exchange = this.#waiting.find(each => each.sequence === sequence);
    // What is not confirmable is sent once, and its answer may be lost.
    if (exchange?.isConfirmable !== true) return false;
    exchange.isSentBack = true;
    return true;
  }

  stop(): Promise<void> {
    this.#state = 'stopped';
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    for (const exchange of this.#waiting)
      this.#giveUp(exchange, 'the gateway stops before the sinks have confirmed');
    this.#waiting = [];
    this.#confirmables.clear();
    return this.#datagrams.close();
  }

  state(): readonly SourcePeer[] {
    const own = { name: this.#where, state: this.#state, lastFrame: this.#lastFrame };
    return [this.#fault === undefined ? own : { ...own, fault: this.#fault }];
  }

  get #where(): string {
    return `${this.#config.host}:${this.#port}`;
  }

  #bind(): Promise<void> {
    const { host, port } = this.#config;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        const code = error.code === 'EADDRINUSE' ? 'SLUICE_LISTEN_IN_USE' : 'SLUICE_LISTEN_FAILED';
        const message = `The source ${this.#name} cannot listen on ${host}:${port} (\`sources.${this.#name}.coap\`): ${error.message}`;
        reject(new SluiceError(code, message, { cause: error }));
      };
      this.#socket.once('error', failed);
      this.#socket.bind({ address: host, port }, () => {
        this.#socket.removeListener('error', failed);
        this.#port = this.#socket.address().port;
        resolve();
      });
    });
  }

  #receive(bytes: Buffer, { address, port }: RemoteInfo): void {
    // Nobody has port 0: it is made up, and an answer could go nowhere.
    if (port === 0) {
      this.#ingress.skipped('SLUICE_SOURCE_PROTOCOL');
      return;
    }
    const peer = { address, port };
    this.#allowance.received(address, bytes.length);
    let message: Message;
    try {
      message = readMessage(bytes);
    } catch (thrown) {
      this.#malformed(bytes, peer, faultOf(thrown).message);
      return;
    }
    if (message.type === 'ack') {
      this.#confirmables.acknowledged(peer, message.id, this.#clock.steady());
    } else if (message.type === 'rst') {
      this.#confirmables.reset(peer, message.id);
    } else if (message.code === '0.00') {
      // RFC 7252, 4.3: an empty confirmable message asks whether somebody is there.
      if (message.type === 'con') this.#reset(peer, message.id);
    } else this.#request(message, peer);
  }

  /** RFC 7252, 4.2 and 4.3: what cannot be read is reset if it is confirmable, else ignored. */
  #malformed(bytes: Buffer, peer: Peer, why: string): void {
    const header = headerOf(bytes);
    if (header?.type === 'con') this.#reset(peer, header.id);
    this.#ingress.skipped('SLUICE_SOURCE_PROTOCOL');
    this.#failed('SLUICE_SOURCE_PROTOCOL', `${peer.address} sent what is no CoAP: ${why}`, peer.address);
  }

  #request(message: Message, peer: Peer): void {
    const now = this.#clock.steady();
    const before = this.#exchanges.find(peer, message.id, now);
    if (before !== undefined) {
      this.#ingress.skipped('SLUICE_SOURCE_REPEATED');
      if (before.answer !== undefined) this.#send(peer, before.answer);
      return;
    }
    const exchange = this.#exchanges.begin(peer, message, now);
    if (!this.#rates.take(peer.address, now)) {
      this.#ingress.skipped('SLUICE_SOURCE_RATE');
      this.#answer(exchange, { code: '4.29', options: [option('Max-Age', uint(1))] });
      return;
    }
    if (this.#state !== 'connected') {
      this.#answer(exchange, busy());
      return;
    }
    const refusal = judge(message);
    if (refusal !== undefined) this.#refuse(exchange, refusal.code, refusal.why);
    else if (message.code === '0.01') this.#get(exchange, message);
    else this.#post(exchange, message);
  }

  #post(exchange: Exchange, message: Message): void {
    const { peer } = exchange;
    const path = message.path!;
    const { block1 } = message;
    if (block1 === undefined) {
      if (message.payload.length > this.#settings.maxBody) this.#refuseSize(exchange);
      else this.#hand(exchange, message, path, message.payload);
      return;
    }
    const key = `${peer.address} ${peer.port} ${path}`;
    const outcome = this.#bodies.take(key, block1, message.payload, this.#clock.steady());
    if ('body' in outcome) this.#hand(exchange, message, path, outcome.body);
    else if (outcome.code === '2.31') this.#answer(exchange, { code: '2.31' });
    else if (outcome.code === '4.13') this.#refuseSize(exchange);
    else if (outcome.code === '5.03') this.#refuseMemory(exchange);
    else
      this.#refuse(
        exchange,
        outcome.code,
        'its blocks do not follow each other, or are not as long as they say',
      );
  }

  #hand(exchange: Exchange, message: Message, path: string, body: Buffer): void {
    const topic = this.#names.topic(path === '' ? this.#name : `${this.#name}/${path}`);
    if (topic < 0) {
      this.#refuse(exchange, '4.00', 'its path gives no topic: it has +, # or NUL in it, or is too long');
      return;
    }
    const type = message.contentFormat === undefined ? '' : mediaType(message.contentFormat);
    const properties = this.#names.properties(exchange.peer.address, type);
    const at = this.#clock.wall();
    let sequence: number;
    try {
      sequence = this.#ingress.push(topic, at, body, 0, body.length, properties);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_FRAME_TOO_LARGE') throw thrown;
      this.#refuseSize(exchange);
      return;
    }
    if (sequence === 0) {
      this.#ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      this.#answer(exchange, busy());
      return;
    }
    this.#lastFrame = at;
    exchange.sequence = sequence;
    this.#waiting.push(exchange);
    this.#resources.put(path, body, message.contentFormat);
    for (const { peer, token } of this.#resources.observers(path)) this.#notify(path, peer, token);
  }

  #get(exchange: Exchange, message: Message): void {
    const path = message.path!;
    if (path === WELL_KNOWN) {
      const links = [...this.#resources.paths].map(one => `</${encodeURI(one)}>;obs`).join(',');
      const list = [option('Content-Format', uint(LINK_FORMAT))];
      this.#answer(exchange, blockOf(Buffer.from(links), list, message.block2, this.#room(exchange)));
      return;
    }
    const found = this.#resources.get(path);
    if (found === undefined) {
      this.#refuse(exchange, '4.04', `nothing was put under ${JSON.stringify(path.slice(0, 60))}`);
      return;
    }
    if (message.accept !== undefined && message.accept !== (found.contentFormat ?? message.accept)) {
      this.#refuse(exchange, '4.06', `it wants content format ${message.accept}`);
      return;
    }
    const options: NamedOption[] = [option('ETag', found.etag)];
    if (found.contentFormat !== undefined) options.push(option('Content-Format', uint(found.contentFormat)));
    // RFC 7641, 4.1. Further blocks are asked for without it.
    if (message.observe === 0 && this.#resources.observe(path, exchange.peer, exchange.token))
      options.push(option('Observe', uint(found.etag.readUInt32BE() & 0xffffff)));
    if (message.observe === 1) this.#resources.forget(path, exchange.peer, exchange.token);
    this.#answer(exchange, blockOf(found.payload, options, message.block2, this.#room(exchange)));
  }

  /** Confirmable, so that an observer that is gone is noticed. Source: RFC 7641, 4.5. */
  #notify(path: string, peer: Peer, token: Buffer): void {
    const notice = {
      key: `${keyOf(peer, token)} ${path}`,
      peer,
      render: (id: number) => this.#notification(path, token, id),
      gone: () => this.#resources.forget(path, peer, token),
    };
    this.#confirmables.notify(notice, this.#clock.steady());
  }

  #notification(path: string, token: Buffer, id: number): Buffer | undefined {
    const found = this.#resources.get(path);
    if (found === undefined) return undefined;
    const options = [
      option('ETag', found.etag),
      option('Observe', uint(found.etag.readUInt32BE() & 0xffffff)),
    ];
    if (found.contentFormat !== undefined) options.push(option('Content-Format', uint(found.contentFormat)));
    const {
      code,
      payload = NOTHING,
      options: list = [],
    } = blockOf(found.payload, options, undefined, LARGEST_BLOCK);
    return generate({
      code,
      messageId: id,
      token,
      payload,
      options: list,
      confirmable: true,
      ack: false,
      reset: false,
    });
  }

  /** The largest block that may be sent there. Source: RFC 7252, 11.3: small blocks where the sender may be made up. */
  #room({ peer, token }: Exchange): number {
    const left = this.#allowance.left(peer.address) - token.length - ANSWER_HEAD;
    return Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, 2 ** Math.floor(Math.log2(Math.max(left, 1)))));
  }

  #refuse(exchange: Exchange, code: string, why: string): void {
    const { address } = exchange.peer;
    this.#ingress.skipped('SLUICE_SOURCE_REQUEST');
    this.#failed('SLUICE_SOURCE_REQUEST', `${address} got ${code}: ${why}`, address);
    this.#answer(exchange, { code, payload: Buffer.from(why) });
  }

  #refuseSize(exchange: Exchange): void {
    const { maxBody } = this.#settings;
    const { address } = exchange.peer;
    this.#ingress.skipped('SLUICE_FRAME_TOO_LARGE');
    this.#failed(
      'SLUICE_FRAME_TOO_LARGE',
      `${address} got 4.13: the body has more than ${maxBody} bytes`,
      address,
    );
    this.#answer(exchange, { code: '4.13', options: [option('Size1', uint(maxBody))] });
  }

  /** It may be tried again, which 4.13 would deny. */
  #refuseMemory(exchange: Exchange): void {
    const { address } = exchange.peer;
    this.#ingress.skipped('SLUICE_SOURCE_MEMORY');
    this.#failed(
      'SLUICE_SOURCE_MEMORY',
      `${address} got 5.03: its blocks need more than the ${this.#settings.memory} bytes of \`memory\``,
      address,
    );
    this.#answer(exchange, busy());
  }

  #giveUp(exchange: Exchange, why: string): void {
    const { address } = exchange.peer;
    this.#ingress.skipped('SLUICE_SOURCE_UNCONFIRMED');
    this.#failed('SLUICE_SOURCE_UNCONFIRMED', `${address} got 5.04: ${why}`, address);
    this.#answer(exchange, { code: '5.04' });
  }

  /** With the acknowledgement, if that did not go out yet; else by itself, until it is acknowledged in turn. */
  #answer(exchange: Exchange, { code, payload = NOTHING, options = [] }: Answer): void {
    const { peer, token, isConfirmable, isAcknowledged, block1 } = exchange;
    const list =
      block1 === undefined
        ? options
        : [...options, option('Block1', writeBlock({ ...block1, more: code === '2.31' }))];
    const isUnwanted = (exchange.noResponse & (1 << (Number(code[0]) - 1))) !== 0;
    // RFC 7967, 2: what is not wanted is not said; a confirmable request is acknowledged all the same.
    if (isUnwanted) {
      if (isConfirmable && !isAcknowledged) this.#acknowledge(exchange);
      return;
    }
    const piggybacked = isConfirmable && !isAcknowledged;
    const messageId = piggybacked ? exchange.id : this.#confirmables.newId(peer);
    const confirmable = isConfirmable && isAcknowledged;
    // RFC 7252, 5.5.2: words about an error are a courtesy, and must not make an answer too large to be sent.
    const bytes = generate({
      code,
      messageId,
      token,
      payload,
      options: list,
      confirmable,
      ack: piggybacked,
      reset: false,
    });
    if (confirmable) this.#confirmables.add(peer, messageId, bytes, this.#clock.steady());
    else {
      exchange.answer = bytes;
      if (!this.#send(peer, bytes) && payload.length > 0 && code[0] !== '2') this.#answer(exchange, { code });
    }
  }

  /** RFC 7252, 5.2.2: the answer comes by itself. */
  #acknowledge(exchange: Exchange): void {
    exchange.isAcknowledged = true;
    exchange.answer = bare(0x60, exchange.id);
    this.#send(exchange.peer, exchange.answer);
  }

  #reset(peer: Peer, id: number): void {
    this.#send(peer, bare(0x70, id));
  }

  /** False: it may not be sent there. */
  #send(peer: Peer, bytes: Buffer): boolean {
    if (!this.#allowance.spend(peer.address, bytes.length)) {
      this.#ingress.skipped('SLUICE_SOURCE_AMPLIFICATION');
      return false;
    }
    return this.#datagrams.send(peer, bytes);
  }

  #look(): void {
    const now = this.#clock.steady();
    const { separateMs, timeoutMs } = this.#settings;
    this.#confirmables.look(now);
    let late = 0;
    for (const exchange of this.#waiting) {
      const waited = now - exchange.at;
      if (waited >= timeoutMs) late += 1;
      else if (waited < separateMs) break;
      else if (exchange.isConfirmable && !exchange.isAcknowledged) this.#acknowledge(exchange);
    }
    for (const exchange of this.#waiting.splice(0, late))
      this.#giveUp(exchange, `no sink confirmed its frame within ${timeoutMs} ms`);
  }

  #failed(code: Fault['code'], message: string, peer?: string): void {
    this.#fault = { code, message: `${this.#name}: ${message}` };
    this.#ingress.failed(this.#fault, peer);
  }
}

/** Why a request is not taken, before anything of it is looked at. */
function judge({ code, path, badOption }: Message): { code: string; why: string } | undefined {
  if (badOption !== undefined)
    return { code: '4.02', why: `the option ${badOption} is not known here, or comes twice` };
  if (code !== '0.01' && code !== '0.02' && code !== '0.03')
    return { code: '4.05', why: `the method ${code} is not taken, only GET, POST and PUT` };
  if (path === undefined) return { code: '4.00', why: 'its path is no UTF-8' };
  return undefined;
}

/** The block that is asked for. Source: RFC 7959, 2.4. */
function blockOf(payload: Buffer, options: NamedOption[], asked: Block | undefined, room: number): Answer {
  const size = Math.min(asked?.size ?? LARGEST_BLOCK, room);
  if (asked === undefined && payload.length <= size) return { code: '2.05', payload, options };
  const start = (asked?.number ?? 0) * (asked?.size ?? size);
  const number = start / size;
  if (start > 0 && start >= payload.length) return { code: '4.00' };
  const more = start + size < payload.length;
  const list = [...options, option('Block2', writeBlock({ number, more, size }))];
  if (number === 0) list.push(option('Size2', uint(payload.length)));
  return { code: '2.05', payload: payload.subarray(start, start + size), options: list };
}

function busy(): Answer {
  return { code: '5.03', options: [option('Max-Age', uint(1))] };
}

function option(name: NamedOption['name'], value: Buffer): NamedOption {
  return { name, value };
}

/** An empty message. Source: RFC 7252, 4.1. */
function bare(first: number, id: number): Buffer {
  return Buffer.from([first, 0, id >> 8, id & 255]);
}
