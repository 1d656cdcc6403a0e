import { PACKET } from '../../protocols/mqtt-wire/constants.js';

/** 5.0 §3.4 and §3.5: the reason makes a PUBACK or PUBREC one byte longer. */
const LARGEST_ANSWER = 5;
const FAILURE = 0x80;
const SAMPLE = 8;

/** Messages at QoS 2 that have their PUBREC. */
export interface Acknowledged {
  recorded(id: number, print: number): void;
}

/**
 * The messages at QoS 1 and 2 that were taken and not acknowledged, in the order in which they came; that is also
 * the order of their PUBACKs [MQTT-4.6.0-2] and PUBRECs [MQTT-4.6.0-3].
 *
 * After a lost connection whose session lives on, the broker sends what it has no PUBACK or PUBREC for again, with
 * DUP and the identifier it had. An identifier that was never acknowledged cannot have been used for
 * anything else, so such a message is known here and not handed over twice. A broker that came back from an
 * old copy of its state may use identifiers again all the same: that is what `print` is for.
 */
export class InHand {
  readonly #size: number;
  readonly #ids: Uint16Array;
  readonly #reasons: Uint8Array;
  /** 1: at QoS 2. */
  readonly #exact: Uint8Array;
  readonly #acknowledged: Acknowledged;
  readonly #sequences: Float64Array;
  readonly #prints: Int32Array;
  #head = 0;
  #count = 0;
  #delivered = 0;
  /** Of an earlier connection of this session, by identifier. */
  readonly #earlier = new Map<number, { readonly sequence: number; readonly print: number }>();

  /** @param size most messages, 1 to 65,535 @param acknowledged is told of each PUBREC that takes a message over */
  constructor(size: number, acknowledged: Acknowledged) {
    this.#size = size;
    this.#acknowledged = acknowledged;
    this.#exact = new Uint8Array(size);
    this.#ids = new Uint16Array(size);
    this.#reasons = new Uint8Array(size);
    this.#sequences = new Float64Array(size);
    this.#prints = new Int32Array(size);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#size;
  }

  /** A message was taken. @param sequence its frame; 0: it is refused with `reason`, and needs no delivery */
  add(id: number, sequence: number, print: number, qos: number, reason = 0): void {
    const slot = (this.#head + this.#count) % this.#size;
    this.#ids[slot] = id;
    this.#sequences[slot] = sequence;
    this.#prints[slot] = print;
    this.#reasons[slot] = reason;
    this.#exact[slot] = qos === 2 ? 1 : 0;
    this.#count += 1;
  }

  /** Every frame up to this one is safe northbound. */
  delivered(sequence: number): void {
    if (sequence > this.#delivered) this.#delivered = sequence;
  }

  /** True if the oldest message can be acknowledged. */
  get isReady(): boolean {
    return this.#count > 0 && (this.#sequences[this.#head] as number) <= this.#delivered;
  }

  /** PUBACK or PUBREC for all messages whose turn it is, as bytes for one write; they are in hand no more. */
  acknowledge(): Buffer {
    let ready = 0;
    while (
      ready < this.#count &&
      (this.#sequences[(this.#head + ready) % this.#size] as number) <= this.#delivered
    )
      ready += 1;
    const out = Buffer.allocUnsafe(ready * LARGEST_ANSWER);
    let at = 0;
    for (; ready > 0; ready--) {
      const id = this.#ids[this.#head] as number;
      const reason = this.#reasons[this.#head] as number;
      const exact = this.#exact[this.#head] === 1;
      out[at] = (exact ? PACKET.pubrec : PACKET.puback) << 4;
      out[at + 1] = reason === 0 ? 2 : 3;
      out[at + 2] = id >> 8;
      out[at + 3] = id & 0xff;
      if (reason !== 0) out[at + 4] = reason;
      at += reason === 0 ? 4 : 5;
      // 5.0 §4.3.3 [MQTT-4.3.3-9]: a reason of 0x80 and above ends it; no PUBREL follows.
      if (exact && reason < FAILURE) this.#acknowledged.recorded(id, this.#prints[this.#head] as number);
      this.#head = this.#head + 1 === this.#size ? 0 : this.#head + 1;
      this.#count -= 1;
    }
    return out.subarray(0, at);
  }

  /** The connection is gone, and with it the turn of each message. */
  lost(): void {
    for (; this.#count > 0; this.#count--) {
      const slot = this.#head;
      this.#earlier.set(this.#ids[slot] as number, {
        sequence: this.#sequences[slot] as number,
        print: this.#prints[slot] as number,
      });
      this.#head = slot + 1 === this.#size ? 0 : slot + 1;
    }
  }

  /** The broker began a new session: the identifiers of the old one mean nothing any more. */
  forget(): void {
    this.#earlier.clear();
  }

  /**
   * A message came that may have come before: true if it is in hand. It is acknowledged in the place in which it
   * came now. Only while not full.
   * @param dup it says so; at QoS 2 it is the same also where it does not
   */
  again(id: number, print: number, qos: number, dup: boolean): boolean {
    const earlier = this.#earlier.size > 0 ? this.#earlier.get(id) : undefined;
    if (earlier !== undefined) {
      this.#earlier.delete(id);
      if (earlier.print === print) {
        this.add(id, earlier.sequence, print, qos);
        return true;
      }
    }
    if (!dup) return false;
    // Brokers of 3.1.1 may also send again on a connection that lives; the answer to come is for both.
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#head + i) % this.#size;
      if (this.#ids[slot] === id && this.#prints[slot] === print) return true;
    }
    return false;
  }

  /** A new message came under this identifier, so the broker does not wait for one of the same any more. */
  replaced(id: number): void {
    if (this.#earlier.size > 0) this.#earlier.delete(id);
  }
}

/** Tells messages apart that follow each other: sizes, the end of the topic, and both ends of the payload. */
export function printOf(
  bytes: Uint8Array,
  topicStart: number,
  topicEnd: number,
  start: number,
  end: number,
): number {
  let print = Math.imul(topicEnd - topicStart, 0x01000193) ^ (end - start);
  for (let i = Math.max(topicStart, topicEnd - SAMPLE); i < topicEnd; i++)
    print = mix(print, bytes[i] as number);
  for (let i = start; i < Math.min(start + SAMPLE, end); i++) print = mix(print, bytes[i] as number);
  for (let i = Math.max(start + SAMPLE, end - SAMPLE); i < end; i++) print = mix(print, bytes[i] as number);
  return print | 0;
}

function mix(print: number, byte: number): number {
  return Math.imul(print ^ byte, 0x01000193);
}
