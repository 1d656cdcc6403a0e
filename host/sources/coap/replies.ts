import type { Fault } from '../../../runtime/index.js';
import { blockOption } from '../../protocols/coap/block.js';
import { CODE, classOf, codeText } from '../../protocols/coap/code.js';
import { OPTION, type Option, option, uintOption } from '../../protocols/coap/option.js';
import { emptyMessage, writeMessage } from '../../protocols/coap/write-message.js';
import type { Clock } from '../modbus/clock.js';
import type { Allowance } from './allowance.js';
import type { Complaints } from './complaints.js';
import type { Watch } from './confirmables.js';
import type { Endpoint } from './endpoint.js';
import type { Exchange } from './exchanges.js';

const NONE: readonly Option[] = [];
/** Seconds until a device that was turned away should come again. */
const AGAIN_S = 1;

export interface Answer {
  readonly code: number;
  readonly payload?: Buffer;
  readonly options?: readonly Option[];
}

/** What requests are answered with: at most once each, by the way that is still open. */
export class Replies {
  readonly #endpoint: Endpoint;
  readonly #allowance: Allowance;
  readonly #complaints: Complaints;
  readonly #clock: Clock;

  constructor(endpoint: Endpoint, allowance: Allowance, complaints: Complaints, clock: Clock) {
    this.#endpoint = endpoint;
    this.#allowance = allowance;
    this.#complaints = complaints;
    this.#clock = clock;
  }

  /**
   * With the acknowledgement, if that did not go out yet; else by itself, until it is acknowledged in turn.
   * @param watch what becomes of one that goes by itself; that it is gone, of one that may not be sent
   */
  answer(
    exchange: Exchange,
    code: number,
    payload?: Buffer,
    options: readonly Option[] = NONE,
    watch?: Watch,
  ): void {
    const { isConfirmable, isAcknowledged, block1 } = exchange;
    const isUnwanted = exchange.noResponse !== 0 && (exchange.noResponse & (1 << (classOf(code) - 1))) !== 0;
    // RFC 7967, 2: what is not wanted is not said; a confirmable request is acknowledged all the same.
    if (isUnwanted) {
      if (isConfirmable && !isAcknowledged) this.acknowledge(exchange);
      return;
    }
    const list =
      block1 === undefined
        ? options
        : [...options, blockOption(OPTION.block1, { ...block1, more: code === CODE.continue })];
    if (this.#send(exchange, code, list, payload, watch)) return;
    watch?.gone();
    // RFC 7252, 5.5.2: words about an error are a courtesy, and must not make an answer too large to be sent.
    if (payload !== undefined && classOf(code) !== 2 && this.#send(exchange, code, list)) return;
    // Rather than nothing: whoever is there can show it, and ask again. Source: RFC 9175, 2.4.
    // Whose frame was taken, and acknowledged, would send that again.
    if (classOf(code) === 2 && (!isAcknowledged || exchange.sequence === 0)) this.challenge(exchange);
  }

  /** RFC 7252, 5.2.2: the answer comes by itself. */
  acknowledge(exchange: Exchange): void {
    if (exchange.isAcknowledged || !exchange.isConfirmable) return;
    exchange.isAcknowledged = true;
    exchange.answer = emptyMessage('ack', exchange.id);
    this.#endpoint.send(exchange, exchange.answer);
  }

  /** It may be tried again. */
  busy(exchange: Exchange, code: number = CODE.unavailable): void {
    this.answer(exchange, code, undefined, [uintOption(OPTION.maxAge, AGAIN_S)]);
  }

  /** Asks its sender to show that it is there. Source: RFC 9175, 2.4. */
  challenge(exchange: Exchange): void {
    const echo = this.#allowance.challenge(exchange.address);
    this.#send(exchange, CODE.unauthorized, [option(OPTION.echo, echo)]);
  }

  /** Its sender has shown that it is there. */
  isProven({ address }: Exchange): boolean {
    return this.#allowance.isProven(address);
  }

  /** Counts and says why, in the answer too. */
  refuse(exchange: Exchange, code: number, why: string): void {
    this.complain('SLUICE_SOURCE_REQUEST', exchange, code, why);
    this.answer(exchange, code, Buffer.from(why));
  }

  /** Counts and says why. */
  complain(fault: Fault['code'], { address }: Exchange, code: number, why: string): void {
    this.#complaints.skipped(fault);
    this.#complaints.failed(
      fault,
      `${address} got ${codeText(code)}: ${why}`,
      this.#allowance.nameOf(address),
    );
  }

  /** False: it may not be sent there. */
  #send(
    exchange: Exchange,
    code: number,
    options: readonly Option[],
    payload?: Buffer,
    watch?: Watch,
  ): boolean {
    const { token, isConfirmable, isAcknowledged } = exchange;
    const { confirmables } = this.#endpoint;
    const isPiggybacked = isConfirmable && !isAcknowledged;
    const id = isPiggybacked ? exchange.id : confirmables.newId(exchange);
    const type = isPiggybacked ? 'ack' : isConfirmable ? 'con' : 'non';
    const message = { type, id, code, token, options, payload } as const;
    const bytes = writeMessage(message, type === 'con' ? undefined : exchange.spare);
    if (type === 'con') return confirmables.add(exchange, id, bytes, this.#clock.steady(), watch);
    exchange.answer = bytes;
    return this.#endpoint.send(exchange, bytes);
  }
}
