import { type ErrorCode, type Fault, faultOf } from '../../../runtime/index.js';
import { FrameTraces } from '../frame-traces.js';
import type { Memory } from '../serve/memory.js';
import type { Ingress } from '../source.js';
import { badRequest } from './body.js';
import { type Delivery, OVERHEAD_BYTES } from './delivery.js';
import type { HttpNames } from './http-names.js';
import { COME_AGAIN, type Refusal } from './refusal.js';

const FAILED = 'a plugin behind the source has failed too often and is not called now: send it again later';
const UNSERVED = 'a plugin behind the source is not there, or is not to run now: send it again later';

export interface DeliveryEvents {
  /** All its frames are handed over (`Prefer: respond-async`), or safe. */
  accepted(delivery: Delivery): void;
  refused(delivery: Delivery, refusal: Refusal): void;
  /** Frames of it were handed over. */
  took(): void;
}

/** Requests whose bodies are there: those without room in the order in which they came, then those that wait for their confirmation. */
export class Deliveries {
  /** Of frames whose requests came with one. */
  readonly traces = new FrameTraces();
  readonly #ingress: Ingress;
  readonly #names: HttpNames;
  readonly #memory: Memory;
  readonly #timeoutMs: number;
  readonly #events: DeliveryEvents;
  /** Handed over, in the order of their sequences. */
  #waiting: Delivery[] = [];
  /** Without room, in the order in which they came. */
  #blocked: Delivery[] = [];

  /** @param timeoutMs what a delivery is given, for what is said of it */
  constructor(ingress: Ingress, names: HttpNames, memory: Memory, timeoutMs: number, events: DeliveryEvents) {
    this.#ingress = ingress;
    this.#names = names;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
    this.#events = events;
  }

  add(delivery: Delivery): void {
    // Those that came before wait too.
    if (this.#blocked.length > 0 || !this.#push(delivery)) this.#blocked.push(delivery);
  }

  /** There is room again. */
  resume(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const [index, delivery] of blocked.entries()) {
      if (this.#push(delivery)) continue;
      this.#blocked = [delivery, ...blocked.slice(index + 1)];
      return;
    }
  }

  delivered(sequence: number): void {
    this.traces.delivered(sequence);
    const first = this.#waiting.findIndex(delivery => delivery.sequence > sequence);
    const count = first < 0 ? this.#waiting.length : first;
    if (count === 0) return;
    for (const delivery of this.#waiting.splice(0, count)) {
      const { sentBack } = delivery;
      if (sentBack === undefined) this.#accept(delivery);
      else this.#giveUp(delivery, sentBack, sentBack === 'SLUICE_ROUTE_UNSERVED' ? UNSERVED : FAILED);
    }
  }

  sendBack(sequence: number, code: ErrorCode): boolean {
    const delivery = this.#waiting.find(each => each.owns(sequence));
    if (delivery === undefined) return false;
    delivery.sentBack = code;
    return true;
  }

  /** Gives up what is late. @param now on the steady clock */
  look(now: number): void {
    const late = (delivery: Delivery): boolean => delivery.deadline <= now;
    for (const delivery of this.#blocked.filter(late)) {
      const message = `the routes behind the source have been full for ${this.#timeoutMs} ms; ${delivery.taken} frames of the request were taken`;
      this.#giveUp(delivery, 'SLUICE_SOURCE_BACKPRESSURE', message);
    }
    this.#blocked = this.#blocked.filter(delivery => !late(delivery));
    for (const delivery of this.#waiting.filter(late)) {
      const message = `no sink confirmed the request within ${this.#timeoutMs} ms; its ${delivery.taken} frames were taken, and sent again they come twice`;
      this.#giveUp(delivery, 'SLUICE_SOURCE_UNCONFIRMED', message);
    }
    this.#waiting = this.#waiting.filter(delivery => !late(delivery));
  }

  /** Nothing more is handed over. */
  stop(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const delivery of blocked) {
      const taken = delivery.taken === 0 ? '' : `; ${delivery.taken} frames of the request were taken`;
      this.#giveUp(delivery, 'SLUICE_SOURCE_BACKPRESSURE', `the gateway stops${taken}`);
    }
  }

  /** Nothing more is going to be confirmed. */
  close(): void {
    this.stop();
    const message = 'the gateway stops before the sinks have confirmed';
    for (const delivery of this.#waiting) this.#giveUp(delivery, 'SLUICE_SOURCE_UNCONFIRMED', message);
    this.#waiting = [];
  }

  /** True if there is nothing left to hand over. */
  #push(delivery: Delivery): boolean {
    try {
      if (!delivery.push(this.#ingress, this.#names, this.traces)) return false;
      this.#release(delivery, OVERHEAD_BYTES);
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      this.#refuse(delivery, { status: code === 'SLUICE_FRAME_TOO_LARGE' ? 413 : 500, code, message });
      return true;
    }
    if (delivery.taken === 0) {
      this.#refuse(delivery, badRequest(400, 'the body has no line with anything in it'));
      return true;
    }
    this.#events.took();
    if (delivery.isAsync) this.#accept(delivery);
    else this.#waiting.push(delivery);
    return true;
  }

  #accept(delivery: Delivery): void {
    this.#release(delivery);
    this.#events.accepted(delivery);
  }

  #giveUp(delivery: Delivery, code: Fault['code'], message: string): void {
    this.#refuse(delivery, { status: 503, code, message, headers: COME_AGAIN });
  }

  #refuse(delivery: Delivery, refusal: Refusal): void {
    this.#release(delivery);
    this.#events.refused(delivery, refusal);
  }

  /** It needs its body no more. @param rest bytes that it keeps in hand all the same */
  #release(delivery: Delivery, rest = 0): void {
    this.#memory.holds(rest - delivery.holding, delivery.peer);
    delivery.holding = rest;
    delivery.dropBody();
  }
}
