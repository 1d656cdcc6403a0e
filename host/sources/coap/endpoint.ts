import { faultOf } from '../../../runtime/index.js';
import { CODE, classOf } from '../../protocols/coap/code.js';
import { headerOf, type Message, readMessage } from '../../protocols/coap/message.js';
import { emptyMessage } from '../../protocols/coap/write-message.js';
import type { Clock } from '../modbus/clock.js';
import type { Allowance } from './allowance.js';
import type { Complaints } from './complaints.js';
import { Confirmables } from './confirmables.js';
import type { Datagrams, Peer } from './datagrams.js';

/** What a server's socket is for: messages come in, and go out as far as their receiver may be sent to. */
export class Endpoint {
  readonly confirmables: Confirmables;
  readonly #datagrams: Datagrams;
  readonly #allowance: Allowance;
  readonly #complaints: Complaints;
  readonly #clock: Clock;

  constructor(datagrams: Datagrams, allowance: Allowance, complaints: Complaints, clock: Clock) {
    this.#datagrams = datagrams;
    this.#allowance = allowance;
    this.#complaints = complaints;
    this.#clock = clock;
    this.confirmables = new Confirmables({
      send: (peer, bytes) => this.send(peer, bytes),
      acknowledged: ({ address }, bytes) => allowance.acknowledged(address, bytes),
      lost: () => complaints.skipped('SLUICE_SOURCE_UNACKNOWLEDGED'),
      isProven: ({ address }) => allowance.isProven(address),
    });
  }

  /** One datagram. Undefined: it was no request, and is dealt with. */
  receive(bytes: Buffer, peer: Peer): Message | undefined {
    // Nobody has port 0: it is made up, and an answer could go nowhere.
    if (peer.port === 0) {
      this.#complaints.skipped('SLUICE_SOURCE_PROTOCOL');
      return undefined;
    }
    this.#allowance.received(peer.address, bytes.length);
    let message: Message;
    try {
      message = readMessage(bytes);
    } catch (thrown) {
      this.#malformed(bytes, peer, faultOf(thrown).message);
      return undefined;
    }
    const { type, id, code } = message;
    if (type === 'ack') this.confirmables.acknowledged(peer, id, this.#clock.steady());
    else if (type === 'rst') this.confirmables.reset(peer, id);
    // RFC 7252, 4.3: an empty confirmable message asks whether somebody is there.
    else if (code === CODE.empty) this.#reset(type === 'con', peer, id);
    else if (classOf(code) === 0) return message;
    else {
      // 4.2 and 4.3: an answer, and nothing was asked; or a class that is reserved.
      this.#reset(type === 'con', peer, id);
      this.#complaints.skipped('SLUICE_SOURCE_PROTOCOL');
    }
    return undefined;
  }

  /** False: it may not be sent there. */
  send(peer: Peer, bytes: Buffer): boolean {
    if (!this.#allowance.spend(peer.address, bytes.length)) {
      this.#complaints.skipped('SLUICE_SOURCE_AMPLIFICATION');
      return false;
    }
    return this.#datagrams.send(peer, bytes);
  }

  /** Bytes that may be sent there now. */
  room({ address }: Peer): number {
    return this.#allowance.left(address);
  }

  /** RFC 7252, 4.2 and 4.3: what cannot be read is reset if it is confirmable, else ignored. */
  #malformed(bytes: Buffer, peer: Peer, why: string): void {
    const header = headerOf(bytes);
    if (header !== undefined) this.#reset(header.type === 'con', peer, header.id);
    this.#complaints.skipped('SLUICE_SOURCE_PROTOCOL');
    const what = `${peer.address} sent what is no CoAP: ${why}`;
    this.#complaints.failed('SLUICE_SOURCE_PROTOCOL', what, this.#allowance.nameOf(peer.address));
  }

  #reset(isConfirmable: boolean, peer: Peer, id: number): void {
    if (isConfirmable) this.send(peer, emptyMessage('rst', id));
  }
}
