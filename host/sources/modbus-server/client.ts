import type { Socket } from 'node:net';
import { type Fault, faultOf } from '../../../runtime/index.js';
import { MbapParser } from '../../protocols/mbap.js';
import { EXCEPTION, WriteRequest } from '../../protocols/modbus-write.js';
import type { Clock } from '../modbus/clock.js';
import { peerOf } from '../serve/peer-count.js';
import { readInto } from '../serve/read-into.js';
import { AnswerLine } from './answers.js';
import type { ServerSettings } from './server-config.js';

/**
 * Requests of one connection that wait for their answers; beyond them it is not read. The most that
 * MODBUS Messaging on TCP/IP V1.0b, 4.2.2 (NumberMaxOfServerTransaction) knows.
 */
export const MOST_OPEN = 16;
const NEVER = Number.POSITIVE_INFINITY;

/** What the connections of one source share. */
export interface ClientHost {
  /** What comes is read into it, of one connection after the other. */
  readonly reads: Uint8Array;
  readonly settings: ServerSettings;
  readonly clock: Clock;
  /** Every frame up to this one is safe northbound. */
  confirmed(): number;
  /** The exception that this write is refused with; 0: none. */
  refusal(request: WriteRequest): number;
  /** False: this address has sent more than it may in a second. */
  tooFast(peer: string, now: number): string | undefined;
  /** Hands a write over: the sequence of its frame, 0 when there is no room. */
  push(client: Client, request: WriteRequest, receivedAt: number): number;
  /** A write found no room: call `resume` once there is. */
  blocked(client: Client): void;
  /** Look at this client at this time (steady clock), or sooner. */
  due(at: number): void;
  /** A request got an exception and gave no frame. */
  refused(code: Fault['code'], message: string, peer: string): void;
  failed(code: Fault['code'], message: string, peer: string): void;
  closed(client: Client): void;
}

/**
 * One connection of a device that writes. Requests are answered in their order, each once: with what the
 * device wrote when its frame is delivered, or with an exception. What cannot be read as Modbus ends the
 * connection, as nothing behind it in the stream can be trusted.
 */
export class Client {
  /** The device's address without its port, which is another one each time. */
  readonly peer: string;
  place = -1;
  /** When its last write came, milliseconds since 1970. */
  lastFrame = 0;
  /** Number of the ingress for its properties; -1: none yet. */
  properties = -1;
  readonly #host: ClientHost;
  readonly #socket: Socket;
  readonly #parser = new MbapParser();
  readonly #request = new WriteRequest();
  readonly #answers = new AnswerLine(MOST_OPEN);
  /** What came is not used up, and nothing is read. */
  #paused = false;
  /** The write in `#request` found no room. */
  #held = false;
  /** No write has found room since: until then they are held, and afterwards told to come again. 0: there is room. */
  #stalledUntil = 0;
  /** The device does not take its answers. */
  #clogged = false;
  #stopping = false;
  /** The device says that it sends no more. */
  #ended = false;
  /** Closed by us, and said why. */
  #over = false;
  #receivedAt = 0;
  /** When the last whole request came, and since when there is a part of one; steady clock. */
  #heardAt: number;
  #partSince = NEVER;

  constructor(host: ClientHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.peer = peerOf(socket);
    this.#heardAt = host.clock.steady();
    readInto(socket, host.reads, (bytes, length) => this.#data(bytes, length));
    socket.on('drain', () => {
      this.#clogged = false;
      this.#take();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#endIfDone();
    });
    // `close` follows and says what is to be said.
    socket.on('error', () => {});
    socket.once('close', () => this.#closed());
    this.#watch();
  }

  /** Since when the device has sent nothing and waits for nothing, steady clock; undefined while it waits. */
  get silentSince(): number | undefined {
    return this.#answers.length > 0 || this.#held ? undefined : this.#heardAt;
  }

  /** There is room again. */
  resume(): void {
    if (this.#held) this.#take();
  }

  /** More has been delivered. */
  delivered(): void {
    if (this.#answers.length === 0) return;
    this.#answer();
    this.#goOn();
    this.#watch();
  }

  /** False: the write of this frame is none of its own, or is answered. */
  sendBack(sequence: number): boolean {
    return this.#answers.sendBack(sequence);
  }

  /** Does what time asks for. */
  look(now: number): void {
    if (this.#over) return;
    const { settings } = this.#host;
    const late = this.#answers.expire(this.#host.confirmed(), now);
    if (late > 0) {
      const message = `${this.peer} was told to come again (exception 6): ${late} of its writes were taken, and no sink confirmed them within ${settings.timeoutMs} ms`;
      this.#host.failed('SLUICE_SOURCE_UNCONFIRMED', message, this.peer);
    }
    this.#answer();
    if (this.#held && now >= this.#stalledUntil) this.#take();
    else this.#goOn();
    const { silentSince } = this;
    if (now - this.#partSince >= settings.requestMs) {
      const why = `sent ${this.#parser.partial} bytes of a request and not the rest within ${settings.requestMs} ms`;
      this.close('SLUICE_SOURCE_TIMEOUT', why);
    } else if (silentSince !== undefined && now - silentSince >= settings.idleMs) {
      this.close('SLUICE_SOURCE_IDLE', `was silent for ${settings.idleMs / 1000} s`);
    } else {
      this.#watch();
    }
  }

  /** Reads no more; what was taken is answered still. */
  stop(): void {
    this.#stopping = true;
    this.#socket.pause();
    if (this.#held) this.#refuse(EXCEPTION.busy);
    this.#held = false;
    this.#answer();
  }

  /** Says "busy" to what is not delivered by now, and goodbye. */
  end(): void {
    this.#answers.expire(this.#host.confirmed(), NEVER);
    this.#answer();
    this.#socket.end();
    // So that the end that the device sends in turn is seen.
    this.#socket.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  /** @param why goes behind the device's address */
  close(code: Fault['code'], why: string): void {
    this.#host.failed(code, `${this.peer} ${why}; connection closed`, this.peer);
    this.destroy();
  }

  #data(bytes: Uint8Array, length: number): void {
    if (this.#stopping || this.#over) return;
    this.#receivedAt = this.#host.clock.wall();
    this.#parser.feed(bytes, 0, length);
    this.#take();
    if (this.#paused) this.#parser.keep();
  }

  /** Goes on with what came before, if there is something left of it and nothing else is waited for. */
  #goOn(): void {
    if (this.#paused && !this.#held) this.#take();
  }

  /** Deals with the requests that have come, as far as their answers may be waited for. */
  #take(): void {
    if (this.#stopping || this.#over) return;
    const now = this.#host.clock.steady();
    try {
      this.#paused = !this.#walk(now);
    } catch (thrown) {
      // What was right before it is answered if its turn has come.
      this.#answer();
      const { code, message } = faultOf(thrown);
      this.close(code, `broke the protocol: ${message}`);
      return;
    }
    this.#answer();
    if (this.#paused) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    this.#watch();
  }

  /** True when all that came is used up. */
  #walk(now: number): boolean {
    const parser = this.#parser;
    for (;;) {
      if (this.#answers.isFull) this.#answer();
      if (this.#answers.isFull || this.#clogged) return false;
      if (this.#held) {
        this.#held = !this.#handOver(now);
      } else if (parser.next()) {
        this.#heardAt = now;
        this.#partSince = NEVER;
        this.#held = !this.#begin(now);
      } else {
        if (parser.partial > 0 && this.#partSince === NEVER) this.#partSince = now;
        return true;
      }
      if (this.#held) {
        this.#host.blocked(this);
        return false;
      }
    }
  }

  /** A request has come. False: no room for it. */
  #begin(now: number): boolean {
    const request = this.#request;
    const exception = request.read(this.#parser) || this.#host.refusal(request);
    // What waits for room was let through before.
    const tooFast =
      exception === 0 && this.#stalledUntil === 0 ? this.#host.tooFast(this.peer, now) : undefined;
    if (exception === 0 && tooFast === undefined) return this.#handOver(now);
    if (exception === 0) {
      const message = `${this.peer} is told to come again (exception 6): ${tooFast}`;
      this.#host.refused('SLUICE_SOURCE_RATE', message, this.peer);
      this.#refuse(EXCEPTION.busy);
      return true;
    }
    const message = `${this.peer} got exception ${exception}: unit ${request.unit}, function ${request.function}, ${request.defect}`;
    this.#host.refused('SLUICE_SOURCE_REQUEST', message, this.peer);
    this.#refuse(exception);
    return true;
  }

  /** False: no room for the write, and it may wait for it. */
  #handOver(now: number): boolean {
    const { settings } = this.#host;
    const sequence = this.#host.push(this, this.#request, this.#receivedAt);
    if (sequence > 0) {
      this.#stalledUntil = 0;
      this.lastFrame = this.#receivedAt;
      this.#answers.add(this.#request, sequence, now + settings.timeoutMs);
      return true;
    }
    if (this.#stalledUntil === 0) this.#stalledUntil = now + settings.timeoutMs;
    if (now < this.#stalledUntil) return false;
    const message = `${this.peer} is told to come again (exception 6): the routes behind the source have been full for ${settings.timeoutMs} ms and more`;
    this.#host.refused('SLUICE_SOURCE_BACKPRESSURE', message, this.peer);
    this.#refuse(EXCEPTION.busy);
    return true;
  }

  /** Answered in its turn, and waits for nothing. */
  #refuse(exception: number): void {
    this.#answers.add(this.#request, 0, 0, exception);
  }

  #answer(): void {
    const bytes = this.#answers.take(this.#host.confirmed());
    if (bytes === undefined || !this.#socket.writable) return;
    if (!this.#socket.write(bytes)) this.#clogged = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#ended && !this.#held && this.#answers.length === 0) this.#socket.end();
  }

  #watch(): void {
    const { idleMs, requestMs } = this.#host.settings;
    const held = this.#held ? this.#stalledUntil : NEVER;
    const idle = (this.silentSince ?? NEVER) + idleMs;
    this.#host.due(Math.min(this.#answers.deadline, held, idle, this.#partSince + requestMs));
  }

  #closed(): void {
    if (!this.#over && !this.#stopping) this.#sayLoss();
    this.#over = true;
    this.#host.closed(this);
  }

  #sayLoss(): void {
    const part = this.#parser.partial;
    const open = this.#answers.length;
    if (part > 0) {
      const message = `${this.peer} closed the connection in the middle of a request, after ${part} bytes`;
      this.#host.failed('SLUICE_SOURCE_DISCONNECTED', message, this.peer);
    }
    if (open > 0) {
      const message = `${this.peer} closed the connection and did not wait for the answers to ${open} of its writes, which were taken`;
      this.#host.failed('SLUICE_SOURCE_UNCONFIRMED', message, this.peer);
    }
  }
}
