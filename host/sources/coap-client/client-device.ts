import type { Fault } from '../../../runtime/index.js';
import { blockOption } from '../../protocols/coap/block.js';
import { CODE } from '../../protocols/coap/code.js';
import type { Message } from '../../protocols/coap/message.js';
import { OPTION, option, uintOption } from '../../protocols/coap/option.js';
import type { Representation } from '../../protocols/coap/representation.js';
import { writeMessage } from '../../protocols/coap/write-message.js';
import type { Complaints } from '../coap/complaints.js';
import type { Peer } from '../coap/datagrams.js';
import { backOff } from '../modbus/back-off.js';
import type { Clock } from '../modbus/clock.js';
import type { Ingress, SourcePeer } from '../source.js';
import { Answers, type Asking } from './answers.js';
import { Ask, type AskKind } from './ask.js';
import type { Asks } from './asks.js';
import { type ClientSettings, type CoapDeviceConfig, MOST_AGE_S } from './client-config.js';
import { DeviceAddress } from './device-address.js';
import { Frames } from './frames.js';
import type { Reading } from './reading.js';

/** What the devices of one source share. */
export interface ClientHost {
  readonly name: string;
  readonly ingress: Ingress;
  readonly clock: Clock;
  readonly settings: ClientSettings;
  readonly complaints: Complaints;
  readonly asks: Asks;
  send(peer: Peer, bytes: Uint8Array): void;
}

/**
 * One CoAP device and what is read of it. Every poll ends in exactly one of: a frame, `ingress.skipped` (it was never
 * sent), `ingress.failed` (it was sent, and gave no frame). An observation is asked for until it stands, and again when
 * it ends or falls silent.
 */
export class ClientDevice implements Asking {
  readonly label: string;
  readonly #host: ClientHost;
  readonly #address: DeviceAddress;
  readonly #frames: Frames;
  readonly #observed: readonly Reading[];
  readonly #queue: Reading[] = [];
  readonly #open = new Set<Ask>();
  readonly #answers: Answers;
  #state: SourcePeer['state'] = 'waiting';
  #fault: Fault | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** Failures since the last answer, and until when it is left alone. */
  #attempt = 0;
  #awayUntil = 0;
  /** What the device wants to see again. Source: RFC 9175, 2.2.1. */
  #echo: Buffer | undefined;

  constructor(host: ClientHost, config: CoapDeviceConfig, observed: readonly Reading[]) {
    this.label = config.name ?? `${config.host}:${config.port}`;
    this.#host = host;
    this.#address = new DeviceAddress(config.host, config.port);
    this.#frames = new Frames(host.ingress, (code, what) => this.#failed(code, `${this.label}: ${what}`));
    this.#observed = observed;
    this.#answers = new Answers(this, host.clock, host.settings);
  }

  start(now: number): void {
    for (const reading of this.#observed) reading.dueAt = now;
  }

  isAt(peer: Peer): boolean {
    return this.#address.is(peer);
  }

  /** Asks, unless there is a reason not to. */
  poll(reading: Reading): void {
    const { ingress, clock } = this.#host;
    if (clock.steady() < this.#awayUntil) ingress.skipped('SLUICE_SOURCE_DISCONNECTED');
    else if (reading.isUnderWay) ingress.skipped('SLUICE_SOURCE_OVERRUN', 1, this.label);
    else if (!ingress.hasRoom(reading.last?.body.length ?? 0)) ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
    else this.#line(reading);
  }

  /** Sends again what is due, gives up what is late, asks for observations. */
  look(now: number): void {
    for (const ask of [...this.#open]) {
      if (now >= ask.deadline) this.#silent(ask, now);
      else if (ask.repeats(now)) this.#host.send(this.#address.peer!, ask.bytes!);
    }
    if (now < this.#awayUntil) return;
    if (this.#address.peer === undefined) {
      this.#find();
      return;
    }
    // What was asked for before its address was known.
    this.#next();
    for (const reading of this.#observed)
      if (!reading.isUnderWay && !this.#frames.isHeld(reading) && now >= reading.dueAt) this.#line(reading);
  }

  /** An answer or a notification, of this device by its token and address. */
  answer(ask: Ask, message: Message): void {
    this.#settled(this.#host.clock.steady());
    if (!ask.isStanding) this.#host.asks.answered(ask, this.#address.peer!);
    this.#answers.take(ask, message);
    this.#next();
  }

  /** An acknowledgement without an answer: it comes by itself. */
  acknowledged(ask: Ask): void {
    ask.isAcknowledged = true;
  }

  reset(ask: Ask): void {
    this.#settled(this.#host.clock.steady());
    this.fail(ask, 'SLUICE_SOURCE_REFUSED', 'was answered with a reset');
    this.#next();
  }

  /** There is room again. False: not for all that is held. */
  resume(): boolean {
    return this.#frames.resume();
  }

  again(ask: Ask): void {
    this.#host.asks.end(ask, this.#address.peer, 'SLUICE_SOURCE_REPEATED');
    // An observation keeps its token: it names it.
    if (ask.kind !== 'observe') ask.newToken();
    this.#ask(ask);
  }

  rest(reading: Reading, representation: Representation): void {
    this.#supersede(reading);
    // RFC 7959, 3.4: without Observe, under a token of its own.
    const ask = this.#newAsk(reading, 'rest');
    ask.representation = representation;
    reading.isUnderWay = true;
    this.#ask(ask);
  }

  echo(value: Buffer): void {
    this.#echo = value;
  }

  end(ask: Ask): void {
    if (!ask.isStanding) this.#host.asks.end(ask, this.#address.peer, 'SLUICE_SOURCE_REPEATED');
    this.#open.delete(ask);
    ask.reading.isUnderWay = false;
  }

  fail(ask: Ask, code: Fault['code'], why: string, maxAge = 0): void {
    const { reading } = ask;
    const { asks, clock, settings } = this.#host;
    this.#open.delete(ask);
    reading.isUnderWay = false;
    this.#answers.drop(ask);
    const isLate = code === 'SLUICE_SOURCE_TIMEOUT';
    asks.end(ask, this.#address.peer, isLate ? code : 'SLUICE_SOURCE_REPEATED');
    if (reading.isObserved) {
      const wait = backOff(reading.attempt, settings.minMs, settings.maxMs);
      reading.attempt += 1;
      reading.dueAt = clock.steady() + Math.max(wait, Math.min(maxAge, MOST_AGE_S) * 1000);
    }
    this.complain(code, reading, why);
  }

  complain(code: Fault['code'], reading: Reading, why: string): void {
    this.#failed(code, `${this.label}: ${reading.path} ${why}`);
  }

  repeated(): void {
    this.#host.complaints.skipped('SLUICE_SOURCE_REPEATED');
  }

  read(reading: Reading, body: Buffer, contentFormat: number | undefined): void {
    this.#supersede(reading);
    reading.attempt = 0;
    const at = this.#host.clock.wall();
    this.#frames.make(reading, this.#address.peer!.address, { body, contentFormat, at });
  }

  stop(): void {
    this.#state = 'stopped';
    for (const ask of this.#open) this.#host.asks.end(ask, this.#address.peer, 'SLUICE_SOURCE_TIMEOUT');
    this.#open.clear();
    this.#queue.length = 0;
    const { peer } = this.#address;
    if (peer === undefined) return;
    // RFC 7641, 3.6: told, it need not find out.
    for (const { token, reading } of this.#answers.standing) {
      const options = [...reading.options, uintOption(OPTION.observe, 1)];
      const id = this.#host.asks.newId(peer);
      this.#host.send(peer, writeMessage({ type: 'non', id, code: CODE.get, token, options }));
    }
  }

  state(): SourcePeer {
    const peer = { name: this.label, state: this.#state, lastFrame: this.#frames.last };
    return this.#fault === undefined ? peer : { ...peer, fault: this.#fault };
  }

  #find(): void {
    this.#address.lookUp(why => {
      if (this.#state === 'stopped') return;
      const wait = this.#leave(this.#host.clock.steady());
      this.#skipQueue();
      const what = `${this.label}: its name cannot be looked up: ${why}; next try in ${wait} ms`;
      this.#failed('SLUICE_SOURCE_DISCONNECTED', what);
    });
  }

  #line(reading: Reading): void {
    reading.isUnderWay = true;
    this.#queue.push(reading);
    this.#next();
  }

  #next(): void {
    const { settings } = this.#host;
    while (
      this.#state !== 'stopped' &&
      this.#address.peer !== undefined &&
      this.#open.size < settings.inFlight
    ) {
      const reading = this.#queue.shift();
      if (reading === undefined) return;
      const ask = this.#newAsk(reading, reading.isObserved ? 'observe' : 'get');
      // RFC 7641, 3.3.1: renewed under its token.
      const before = this.#answers.standingOf(reading);
      if (before !== undefined) ask.token = before.token;
      this.#ask(ask);
    }
  }

  /** What is asked of it still is older than what has come. */
  #supersede(reading: Reading): void {
    for (const ask of this.#open) {
      if (ask.reading !== reading) continue;
      if (ask.kind === 'rest') this.#host.ingress.skipped('SLUICE_SOURCE_OVERRUN');
      this.end(ask);
    }
  }

  #newAsk(reading: Reading, kind: AskKind): Ask {
    return new Ask(this, reading, kind, this.#host.settings.maxBody);
  }

  /** Sends a request, for the first block or the next. */
  #ask(ask: Ask): void {
    const { asks, clock, settings } = this.#host;
    const { representation, reading, kind, token } = ask;
    const { next } = representation;
    const options = [...reading.options];
    if (kind === 'observe') options.push(uintOption(OPTION.observe, 0));
    if (next !== undefined) options.push(blockOption(OPTION.block2, next));
    // RFC 7252, 5.10.6.2: if it is still this one, the device need not send it.
    else if (kind !== 'rest' && reading.last !== undefined) {
      ask.shown = reading.last;
      options.push(option(OPTION.etag, reading.last.etag));
    }
    if (this.#echo !== undefined) options.push(option(OPTION.echo, this.#echo));
    const peer = this.#address.peer!;
    const id = asks.newId(peer);
    const bytes = writeMessage({ type: 'con', id, code: CODE.get, token, options });
    ask.sent(id, bytes, clock.steady(), settings.timeoutMs);
    asks.add(ask, peer, id);
    this.#open.add(ask);
    if (this.#state === 'waiting') this.#state = 'connecting';
    this.#host.send(peer, bytes);
  }

  /** The device is there. */
  #settled(now: number): void {
    this.#answeredAt = now;
    this.#attempt = 0;
    this.#awayUntil = 0;
    if (this.#state === 'connected') return;
    this.#state = 'connected';
    this.#host.ingress.connected(`${this.#host.name}: ${this.label}`);
  }

  #silent(ask: Ask, now: number): void {
    const { timeoutMs } = this.#host.settings;
    this.fail(ask, 'SLUICE_SOURCE_TIMEOUT', `was not answered within ${timeoutMs} ms`);
    // One path may be dead or slow; if nothing at all was answered since, it is the device.
    if (this.#answeredAt < ask.startedAt) {
      this.#leave(now);
      this.#skipQueue();
      if (this.#open.size === 0) this.#address.doubt();
    } else this.#next();
  }

  #skipQueue(): void {
    const skipped = this.#queue.splice(0);
    for (const reading of skipped) reading.isUnderWay = false;
    if (skipped.length > 0) this.#host.ingress.skipped('SLUICE_SOURCE_DISCONNECTED', skipped.length);
  }

  /** It is left alone for a while. Returns how long, ms. */
  #leave(now: number): number {
    const { minMs, maxMs } = this.#host.settings;
    const wait = backOff(this.#attempt, minMs, maxMs);
    this.#attempt += 1;
    this.#awayUntil = now + wait;
    this.#state = 'waiting';
    return wait;
  }

  #failed(code: Fault['code'], message: string): void {
    this.#fault = { code, message };
    this.#host.complaints.failed(code, message, this.label);
  }
}
