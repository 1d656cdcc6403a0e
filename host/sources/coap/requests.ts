import { CODE } from '../../protocols/coap/code.js';
import type { Message } from '../../protocols/coap/message.js';
import type { Clock } from '../modbus/clock.js';
import { PeerRates } from '../serve/peer-rates.js';
import type { Allowance } from './allowance.js';
import type { CoapSettings } from './coap-config.js';
import type { Complaints } from './complaints.js';
import type { Peer } from './datagrams.js';
import type { Endpoint } from './endpoint.js';
import { type Exchange, Exchanges } from './exchanges.js';
import type { Intake } from './intake.js';
import type { Replies } from './replies.js';
import type { Shelf } from './shelf.js';

export interface RequestParts {
  readonly endpoint: Endpoint;
  readonly allowance: Allowance;
  readonly replies: Replies;
  readonly intake: Intake;
  readonly shelf: Shelf;
  readonly complaints: Complaints;
}

/** Each request once: what comes again gets the same answer, what may not be is refused. */
export class Requests {
  /** Nothing is taken any more. */
  isStopped = false;
  readonly #parts: RequestParts;
  readonly #clock: Clock;
  readonly #exchanges: Exchanges;
  readonly #rates: PeerRates;

  constructor(settings: CoapSettings, clock: Clock, parts: RequestParts) {
    this.#parts = parts;
    this.#clock = clock;
    this.#exchanges = new Exchanges(settings.remembered);
    this.#rates = new PeerRates(settings, 'requests');
  }

  take(message: Message, peer: Peer): void {
    const { endpoint, allowance, replies, complaints } = this.#parts;
    const now = this.#clock.steady();
    const before = this.#exchanges.find(peer, message.id, now);
    if (before !== undefined) {
      complaints.skipped('SLUICE_SOURCE_REPEATED');
      if (before.answer !== undefined) endpoint.send(peer, before.answer);
      return;
    }
    if (message.echo !== undefined) allowance.echoed(peer.address, message.echo);
    const tooFast = this.#rates.take(peer.address, now);
    if (tooFast !== undefined) {
      // Not remembered: who floods would have others' requests forgotten, which then come again as new ones.
      const refused = this.#exchanges.pass(peer, message, now);
      replies.complain('SLUICE_SOURCE_RATE', refused, CODE.tooMany, tooFast);
      replies.busy(refused, CODE.tooMany);
      return;
    }
    const exchange = this.#exchanges.begin(peer, message, now);
    if (this.isStopped) replies.busy(exchange);
    else this.#serve(exchange, message);
  }

  #serve(exchange: Exchange, message: Message): void {
    const { replies, intake, shelf } = this.#parts;
    const { code, path, badOption } = message;
    if (badOption !== 0) {
      const why = `the option ${badOption} is not known here, or comes twice`;
      replies.refuse(exchange, CODE.badOption, why);
    } else if (path === undefined) replies.refuse(exchange, CODE.badRequest, 'its path is no UTF-8');
    else if (code === CODE.get) shelf.get(exchange, message, path);
    else if (code === CODE.post || code === CODE.put) intake.take(exchange, message, path);
    else {
      const why = `the method ${code} is not taken, only GET, POST and PUT`;
      replies.refuse(exchange, CODE.methodNotAllowed, why);
    }
  }
}
