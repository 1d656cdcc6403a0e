import { SluiceError, Stamp } from '../../../runtime/index.js';
import { CODE } from '../../protocols/coap/code.js';
import { mediaType } from '../../protocols/coap/content-format.js';
import type { Message } from '../../protocols/coap/message.js';
import { OPTION, uintOption } from '../../protocols/coap/option.js';
import { HttpNames } from '../http/http-names.js';
import type { Clock } from '../modbus/clock.js';
import type { Ingress } from '../source.js';
import { Bodies, MOST_OF_UNPROVEN } from './bodies.js';
import type { CoapSettings } from './coap-config.js';
import type { Complaints } from './complaints.js';
import type { Exchange } from './exchanges.js';
import type { Replies } from './replies.js';
import { Waiting } from './waiting.js';

/** Bit of `noResponse` for answers of class 5. */
const NO_SERVER_ERRORS = 16;

/** A body that became a frame. */
export type Taken = (path: string, body: Buffer, contentFormat: number | undefined) => void;

/** What devices POST and PUT becomes frames; each request waits here until its frame is delivered. */
export class Intake {
  readonly #name: string;
  readonly #settings: CoapSettings;
  readonly #ingress: Ingress;
  readonly #clock: Clock;
  readonly #replies: Replies;
  readonly #taken: Taken;
  readonly #names: HttpNames;
  readonly #bodies: Bodies;
  readonly #waiting = new Waiting();
  readonly #time = new Stamp();
  #lastFrame = 0;

  constructor(
    name: string,
    settings: CoapSettings,
    ingress: Ingress,
    clock: Clock,
    replies: Replies,
    complaints: Complaints,
    taken: Taken,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#ingress = ingress;
    this.#clock = clock;
    this.#replies = replies;
    this.#taken = taken;
    this.#names = new HttpNames(ingress);
    this.#bodies = new Bodies(settings, (address, why) => {
      complaints.skipped('SLUICE_SOURCE_MEMORY');
      const what = `the body of ${address} whose last block came longest ago made room for another: ${why}`;
      complaints.failed('SLUICE_SOURCE_MEMORY', what);
    });
  }

  /** Milliseconds since 1970; 0: none yet. */
  get lastFrame(): number {
    return this.#lastFrame;
  }

  take(exchange: Exchange, message: Message, path: string): void {
    const { block1, payload } = message;
    if (block1 === undefined) {
      if (payload.length > this.#settings.maxBody) this.#refuseSize(exchange);
      else this.#hand(exchange, message, path, payload);
      return;
    }
    const name = `${exchange.port} ${path}`;
    const { address } = exchange;
    const now = this.#clock.steady();
    const outcome = this.#bodies.take(address, name, block1, payload, now, this.#replies.isProven(exchange));
    if ('body' in outcome) this.#hand(exchange, message, path, outcome.body);
    else if (outcome.code === CODE.continue) this.#replies.answer(exchange, CODE.continue);
    else if (outcome.code === CODE.tooLarge) this.#refuseSize(exchange);
    else if (outcome.code === CODE.unavailable) this.#refuseMemory(exchange);
    else if (outcome.code === CODE.unauthorized) this.#askForProof(exchange);
    else {
      const why =
        outcome.code === CODE.incomplete
          ? 'the block is not the next one of a body that is known here'
          : 'the block is not as long as it says';
      this.#replies.refuse(exchange, outcome.code, why);
    }
  }

  delivered(sequence: number): void {
    const waiting = this.#waiting;
    for (let one = waiting.takeDelivered(sequence); one; one = waiting.takeDelivered(sequence))
      if (one.isSentBack) this.#replies.busy(one);
      else this.#replies.answer(one, CODE.changed);
  }

  /** The sender is told to come again when its turn comes. False: it could not be told for sure. */
  sendBack(sequence: number): boolean {
    const exchange = this.#waiting.find(sequence);
    // What is not confirmable is sent once, and its answer may be lost.
    if (exchange?.isConfirmable !== true) return false;
    // Nor is who does not want to hear of it. Source: RFC 7967, 2.1.
    if ((exchange.noResponse & NO_SERVER_ERRORS) !== 0) return false;
    exchange.isSentBack = true;
    return true;
  }

  /** Who has waited for long hears something. */
  look(now: number): void {
    const { separateMs, timeoutMs } = this.#settings;
    this.#giveUp(now - timeoutMs, `no sink confirmed its frame within ${timeoutMs} ms`);
    const before = now - separateMs;
    for (let one = this.#waiting.nextUnanswered(before); one; one = this.#waiting.nextUnanswered(before))
      this.#replies.acknowledge(one);
  }

  close(): void {
    this.#giveUp(Number.POSITIVE_INFINITY, 'the gateway stops before the sinks have confirmed');
  }

  #hand(exchange: Exchange, { contentFormat }: Message, path: string, body: Buffer): void {
    const topic = this.#names.topic(path === '' ? this.#name : `${this.#name}/${path}`);
    if (topic < 0) {
      const why = 'its path gives no topic: it has +, # or NUL in it, or is too long';
      this.#replies.refuse(exchange, CODE.badRequest, why);
      return;
    }
    const type = contentFormat === undefined ? '' : mediaType(contentFormat);
    const properties = this.#names.properties(exchange.address, type);
    const at = this.#clock.wall();
    let sequence: number;
    try {
      sequence = this.#ingress.push(topic, this.#time.set(at), body, 0, body.length, properties);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_FRAME_TOO_LARGE') throw thrown;
      this.#refuseSize(exchange);
      return;
    }
    if (sequence === 0) {
      this.#ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      this.#replies.busy(exchange);
      return;
    }
    this.#lastFrame = at;
    exchange.sequence = sequence;
    this.#waiting.add(exchange);
    this.#taken(path, body, contentFormat);
  }

  #refuseSize(exchange: Exchange): void {
    const { maxBody } = this.#settings;
    const why = `the body has more than ${maxBody} bytes (\`maxBody\`)`;
    this.#replies.complain('SLUICE_FRAME_TOO_LARGE', exchange, CODE.tooLarge, why);
    this.#replies.answer(exchange, CODE.tooLarge, undefined, [uintOption(OPTION.size1, maxBody)]);
  }

  /** It may be tried again, which 4.13 would deny. */
  #refuseMemory(exchange: Exchange): void {
    const why = `its blocks need more than the ${this.#settings.memory} bytes of \`memory\``;
    this.#replies.complain('SLUICE_SOURCE_MEMORY', exchange, CODE.unavailable, why);
    this.#replies.busy(exchange);
  }

  /** Whoever is there sends the block again with what it is to send back, and goes on. Source: RFC 9175, 2.4. */
  #askForProof(exchange: Exchange): void {
    const why = `there is no room for its block but that of other bodies, or it has ${MOST_OF_UNPROVEN} bytes of blocks here, and it has to show that it is there (Echo option) before it may have more`;
    this.#replies.complain('SLUICE_SOURCE_MEMORY', exchange, CODE.unauthorized, why);
    this.#replies.challenge(exchange);
  }

  #giveUp(before: number, why: string): void {
    for (let one = this.#waiting.takeOlder(before); one; one = this.#waiting.takeOlder(before)) {
      this.#replies.complain('SLUICE_SOURCE_UNCONFIRMED', one, CODE.timeout, why);
      this.#replies.answer(one, CODE.timeout);
    }
  }
}
