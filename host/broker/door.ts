import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { OwnEnds } from '../mqtt/own-ends.js';
import { PacketGauge } from '../protocols/mqtt-wire/packet-gauge.js';
import type { RateLimit } from '../sources/serve/rate-limit.js';
import type { BrokerSettings } from './broker-config.js';

/** A client that does not take its last words gets this long. */
const GOODBYE_MS = 1_000;
/** A client that is lost without a word, and need not ping (keep-alive 0), would keep its place for ever. */
const KEEP_ALIVE_MS = 60_000;

const NOTHING = Buffer.alloc(0);
/** What one whose client is gone costs at least, with what the broker keeps of it. */
const LINGERING_BYTES = 16_384;

/** Why a client is turned away, made to wait (`rate`) or not told of a message (`full`): a label of the counter. */
export type BrokerRefusal =
  | 'client-id'
  | 'connections'
  | 'full'
  | 'memory'
  | 'password'
  | 'protocol'
  | 'rate'
  | 'timeout'
  | 'tls'
  | 'too-large';

/** What a door asks and tells its broker. */
export interface DoorHost {
  readonly settings: BrokerSettings;
  /** Bytes more (or less) that are held for packets that have not come whole; false: too many, in all or of its address. */
  holds(bytes: number): boolean;
  /** What lets its messages through: that of this connection, and that of all. */
  readonly rates: readonly RateLimit[];
  refused(reason: BrokerRefusal, text: string): void;
  /** It sends faster than a rate allows, and is read later. */
  slowed(): void;
}

/** Stands between a socket and the broker: what may not or need not reach its parser does not. */
export class Door extends Duplex {
  readonly #host: DoorHost;
  readonly #socket: Socket;
  readonly #gauge: PacketGauge;
  /** No rate holds for it. */
  isFree = false;
  /** Whether its CONNECT went through, is being looked at, or has not come. */
  #stage: 'outside' | 'knocking' | 'inside' = 'outside';
  /** What came with its CONNECT, or behind a message that waits for its turn. */
  #rest: Buffer = NOTHING;
  #holding = 0;
  #completed = 0;
  #partSince = Number.POSITIVE_INFINITY;
  #wait: NodeJS.Timeout | undefined;
  /** The client has said all; the broker is told of that behind all of it. */
  #isEnded = false;
  #isPassedOn = false;
  /** Since when its client is gone, and the bytes that are counted for it since. */
  #goneSince = Number.POSITIVE_INFINITY;
  #lingering = 0;
  #isProbed = false;

  constructor(host: DoorHost, socket: Socket) {
    super({ allowHalfOpen: false });
    this.#host = host;
    this.#socket = socket;
    this.#gauge = new PacketGauge(host.settings.maxPacket);
    socket.on('data', chunk => this.#take(chunk));
    socket.on('end', () => this.#end());
    // `close` follows, and a connection that ends needs no more words.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.destroyed) return;
      if (this.#keepsBack || this.readableLength > 0) this.#linger();
      else this.destroy();
    });
  }

  /** Whether it leads to a source or sink of the gateway. */
  comesFrom(ends: OwnEnds): boolean {
    return ends.isOwn(this.#socket);
  }

  /**
   * Its CONNECT was accepted. Until then nothing behind it gets to the broker: aedes acts on what comes in further reads
   * while it looks at a CONNECT, and so on what a client with a wrong password publishes.
   */
  admit(): void {
    if (this.#stage !== 'knocking') return;
    this.#stage = 'inside';
    this.#goOn();
  }

  /** Slow senders of half a packet hold memory and a place, lost clients a place. @param now on the steady clock, ms */
  look(now: number): void {
    // Not when it begins: most connections of those that come and go are gone by now.
    if (!this.#isProbed) this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#isProbed = true;
    const { packetMs } = this.#host.settings;
    if (now - this.#goneSince >= packetMs) {
      this.#refuse('rate', `went away, and what it had sent did not have its turn within ${packetMs} ms`);
      return;
    }
    if (this.#socket.isPaused()) this.#partSince = now;
    if (this.#gauge.partial === 0 || now - this.#partSince < packetMs) return;
    this.#refuse(
      'timeout',
      `sent ${this.#gauge.partial} bytes of a packet and not the rest within ${packetMs} ms`,
    );
  }

  override _read(): void {
    if (this.#wait === undefined && this.#stage !== 'knocking') this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Who is gone is told nothing; what it said before it went, and waits here, counts all the same.
    if (this.#socket.writable) this.#socket.write(chunk, done);
    else done();
  }

  override _final(done: () => void): void {
    if (this.#socket.writable) this.#socket.end(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#wait);
    // Else clients that come and go use up the rate of all others with messages that never got through.
    if (this.#wait !== undefined) for (const rate of this.#host.rates) rate.giveBack();
    this.#wait = undefined;
    this.#host.holds(-this.#holding - this.#lingering);
    this.#holding = this.#lingering = 0;
    // What is said last (a refusal with its code) goes out before the end.
    const socket = this.#socket;
    if (error === null) socket.destroySoon();
    else socket.destroy();
    // One that does not read would keep its place for ever.
    const end = setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
    socket.once('close', () => clearTimeout(end));
    done(error);
  }

  /** What came waits here: for its CONNECT to be accepted, or for its turn. */
  get #keepsBack(): boolean {
    return this.#stage === 'knocking' || this.#wait !== undefined;
  }

  /** Its client is gone, and counts as a connection no more. What it has sent is not lost, as far as there is memory and time. */
  #linger(): void {
    this.#goneSince = performance.now();
    this.#lingering = Math.max(this.#rest.length + this.readableLength, LINGERING_BYTES);
    if (this.#host.holds(this.#lingering)) this.#end();
    else this.#refuse('memory', 'went away, and for what it had sent there is no memory now (`memory`)');
  }

  /** With what waits here. */
  #goOn(): void {
    const rest = this.#rest;
    this.#rest = NOTHING;
    if (rest.length > 0) this.#take(rest);
    else this.#socket.resume();
    if (this.#isEnded) this.#end();
  }

  /** The client says no more: known to the broker when all that it said is. */
  #end(): void {
    this.#isEnded = true;
    if (this.#keepsBack || this.#isPassedOn || this.destroyed) return;
    this.#isPassedOn = true;
    this.push(null);
  }

  /** Passes on what has its turn, up to the first message that has to wait for it. */
  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    const gauge = this.#gauge;
    for (let at = 0; at < chunk.length; at = gauge.seen) {
      const begun = gauge.messages;
      const defect = gauge.push(chunk, at);
      if (defect !== undefined) {
        this.#refuse(defect.reason, defect.text);
        return;
      }
      if (this.#stage === 'outside' && gauge.completed > 0) {
        this.#knock(chunk, gauge.seen);
        return;
      }
      const wait = gauge.messages > begun ? this.#reserve() : 0;
      if (wait === 0) continue;
      if (this.#holds()) {
        this.push(chunk.subarray(0, gauge.seen));
        this.#sleep(wait, chunk.subarray(gauge.seen));
      }
      return;
    }
    if (!this.#holds()) return;
    if (!this.push(chunk)) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Passes on the CONNECT, and nothing behind it. */
  #knock(chunk: Buffer, end: number): void {
    this.#stage = 'knocking';
    this.#rest = chunk.subarray(end);
    this.#socket.pause();
    if (this.#holds()) this.push(chunk.subarray(0, end));
  }

  /** False: there is no memory for the packet that has not come whole. */
  #holds(): boolean {
    const gauge = this.#gauge;
    if (gauge.partial === 0) this.#partSince = Number.POSITIVE_INFINITY;
    else if (gauge.completed !== this.#completed || this.#partSince === Number.POSITIVE_INFINITY)
      this.#partSince = performance.now();
    this.#completed = gauge.completed;
    const more = gauge.partial - this.#holding;
    this.#holding = gauge.partial;
    if (this.#host.holds(more)) return true;
    this.#refuse('memory', 'sent a packet for which there is no memory now (`memory`)');
    return false;
  }

  /** Milliseconds until one more message may be let through. */
  #reserve(): number {
    if (this.isFree) return 0;
    const now = performance.now();
    return Math.max(...this.#host.rates.map(rate => rate.reserve(now)));
  }

  #sleep(ms: number, rest: Buffer): void {
    this.#host.slowed();
    this.#socket.pause();
    this.#rest = rest;
    this.#wait = setTimeout(() => {
      this.#wait = undefined;
      this.#goOn();
    }, ms);
  }

  #refuse(reason: BrokerRefusal, text: string): void {
    this.#host.refused(reason, text);
    this.destroy();
  }
}
