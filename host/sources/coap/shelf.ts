import { type Block, blockOption } from '../../protocols/coap/block.js';
import { CODE } from '../../protocols/coap/code.js';
import { LINK_FORMAT } from '../../protocols/coap/content-format.js';
import type { Message } from '../../protocols/coap/message.js';
import { OPTION, type Option, option, uintOption } from '../../protocols/coap/option.js';
import { writeMessage } from '../../protocols/coap/write-message.js';
import type { Clock } from '../modbus/clock.js';
import type { Allowance } from './allowance.js';
import type { CoapSettings } from './coap-config.js';
import type { Complaints } from './complaints.js';
import type { Confirmables, Watch } from './confirmables.js';
import type { Peer } from './datagrams.js';
import type { Exchange } from './exchanges.js';
import type { Answer, Replies } from './replies.js';
import { keyOf, type Representation, Resources } from './resources.js';

const WELL_KNOWN = '.well-known/core';
const LARGEST_BLOCK = 1_024;
const SMALLEST_BLOCK = 16;
/** What stands around a block: header, marker, ETag, Content-Format, Observe, Block2, Size2. */
const ANSWER_HEAD = 28;

/** What paths got last, to be read and observed. Source: RFC 7252, 5.8.1; RFC 7641; RFC 7959, 2.4. */
export class Shelf {
  readonly #replies: Replies;
  readonly #confirmables: Confirmables;
  readonly #allowance: Allowance;
  readonly #clock: Clock;
  readonly #resources: Resources;

  constructor(
    settings: CoapSettings,
    replies: Replies,
    confirmables: Confirmables,
    allowance: Allowance,
    complaints: Complaints,
    clock: Clock,
  ) {
    this.#resources = new Resources(settings.observers, settings.peerShare, (address, path) => {
      complaints.skipped('SLUICE_SOURCE_CONNECTIONS');
      const what = `the observation of ${address} under ${JSON.stringify(path.slice(0, 60))}, of which nothing was acknowledged, made room for another`;
      complaints.failed('SLUICE_SOURCE_CONNECTIONS', what);
    });
    this.#replies = replies;
    this.#confirmables = confirmables;
    this.#allowance = allowance;
    this.#clock = clock;
  }

  put(path: string, payload: Buffer, contentFormat: number | undefined): void {
    this.#resources.put(path, payload, contentFormat);
    if (this.#resources.observed === 0) return;
    for (const { peer, token } of this.#resources.observers(path)) this.#notify(path, peer, token);
  }

  get(exchange: Exchange, message: Message, path: string): void {
    if (path === WELL_KNOWN) {
      const links = [...this.#resources.paths].map(one => `</${encodeURI(one)}>;obs`).join(',');
      const list = [uintOption(OPTION.contentFormat, LINK_FORMAT)];
      this.#say(exchange, blockOf(Buffer.from(links), list, message.block2, this.#room(exchange)));
      return;
    }
    const found = this.#resources.get(path);
    if (found === undefined) {
      const why = `nothing was put under ${JSON.stringify(path.slice(0, 60))}`;
      this.#replies.refuse(exchange, CODE.notFound, why);
      return;
    }
    if (message.accept !== undefined && message.accept !== (found.contentFormat ?? message.accept)) {
      this.#replies.refuse(exchange, CODE.notAcceptable, `it wants content format ${message.accept}`);
      return;
    }
    // What is kept for longer than the answer is copied.
    const peer = { address: exchange.address, port: exchange.port };
    const token = Buffer.from(exchange.token);
    // RFC 7641, 4.1. Further blocks are asked for without it.
    const isProven = this.#allowance.isProven(peer.address);
    const full = message.observe === 0 ? this.#resources.observe(path, peer, token, isProven) : undefined;
    const isObserved = message.observe === 0 && full === undefined;
    // It is answered all the same, and sees that it is not told of the next.
    if (full !== undefined) {
      const why = `it is not told of changes under ${JSON.stringify(path.slice(0, 60))}: ${full}`;
      this.#replies.complain('SLUICE_SOURCE_CONNECTIONS', exchange, CODE.content, why);
    }
    if (message.observe === 1) this.#resources.forget(path, peer, token);
    // Answered by itself the answer is acknowledged, which shows that the observer is there.
    if (isObserved && !isProven) this.#replies.acknowledge(exchange);
    const options = optionsOf(found, isObserved);
    const answer = blockOf(found.payload, options, message.block2, this.#room(exchange));
    const watch = isObserved ? this.#watch(path, peer, token) : undefined;
    // RFC 7641, 4.1: an error answers a request that observes nothing.
    if (answer.code !== CODE.content) watch?.gone();
    this.#say(exchange, answer, watch);
  }

  #say(exchange: Exchange, { code, payload, options }: Answer, watch?: Watch): void {
    this.#replies.answer(exchange, code, payload, options, watch);
  }

  /** Whoever acknowledges what it is told is there; whoever does not, or resets it, observes no more. */
  #watch(path: string, peer: Peer, token: Buffer): Watch {
    return {
      heard: () => this.#resources.heard(path, peer, token),
      gone: () => this.#resources.forget(path, peer, token),
    };
  }

  /** Confirmable, so that an observer that is gone is noticed. Source: RFC 7641, 4.5. */
  #notify(path: string, peer: Peer, token: Buffer): void {
    const notice = {
      key: `${keyOf(peer, token)} ${path}`,
      peer,
      render: (id: number) => this.#notification(path, peer, token, id),
      ...this.#watch(path, peer, token),
    };
    this.#confirmables.notify(notice, this.#clock.steady());
  }

  #notification(path: string, peer: Peer, token: Buffer, id: number): Buffer | undefined {
    const found = this.#resources.get(path);
    if (found === undefined) return undefined;
    const room = this.#largest(peer, token);
    const { code, payload, options = [] } = blockOf(found.payload, optionsOf(found, true), undefined, room);
    return writeMessage({ type: 'con', id, code, token, options, payload });
  }

  #room(exchange: Exchange): number {
    return this.#largest(exchange, exchange.token);
  }

  /** The largest block that may be sent there. Source: RFC 7252, 11.3: small blocks where the sender may be made up. */
  #largest({ address }: Peer, token: Buffer): number {
    const left = this.#allowance.left(address) - token.length - ANSWER_HEAD;
    return Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, 2 ** Math.floor(Math.log2(Math.max(left, 1)))));
  }
}

function optionsOf({ etag, contentFormat, version }: Representation, isObserved: boolean): Option[] {
  const options = [option(OPTION.etag, etag)];
  if (contentFormat !== undefined) options.push(uintOption(OPTION.contentFormat, contentFormat));
  // RFC 7641, 3.4: 24 bits, by which an observer knows which came later.
  if (isObserved) options.push(uintOption(OPTION.observe, version & 0xffffff));
  return options;
}

/** The block that is asked for. Source: RFC 7959, 2.4. */
function blockOf(payload: Buffer, options: Option[], asked: Block | undefined, room: number): Answer {
  const size = Math.min(asked?.size ?? LARGEST_BLOCK, room);
  if (asked === undefined && payload.length <= size) return { code: CODE.content, payload, options };
  const start = (asked?.number ?? 0) * (asked?.size ?? size);
  const number = start / size;
  if (start > 0 && start >= payload.length) return { code: CODE.badRequest };
  const more = start + size < payload.length;
  options.push(blockOption(OPTION.block2, { number, more, size }));
  if (number === 0) options.push(uintOption(OPTION.size2, payload.length));
  return { code: CODE.content, payload: payload.subarray(start, start + size), options };
}
