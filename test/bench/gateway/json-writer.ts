import type { Publication } from '../../../host/protocols/mqtt-wire/subscriber.js';
import type { MessageView } from '../../../sandbox/index.js';

const UNIT = Buffer.from('{"unit":');
const FUNCTION = Buffer.from(',"function":');
const FIRST = Buffer.from(',"first":');
const VALUES = Buffer.from(',"values":[');
const MOST = 4096;

/** Where topic and payload of a reply lie. */
type Reply = Pick<Publication, 'topicStart' | 'topicEnd' | 'payloadStart' | 'payloadEnd'> & {
  readonly bytes: Uint8Array;
};

/** convert.ts, byte by byte into one buffer: topic and JSON of one message, to be encoded at once. Allocates nothing. */
export class JsonWriter implements MessageView {
  readonly bytes = Buffer.alloc(MOST);
  readonly topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  readonly timestampLow = 0;
  readonly timestampHigh = 0;
  readonly contentTypeStart = 0;
  readonly contentTypeEnd = 0;
  readonly qos = 0;
  readonly retain = false;
  readonly propertyCount = 0;
  readonly keyStart = 0;
  readonly keyEnd = 0;
  readonly valueStart = 0;
  readonly valueEnd = 0;
  #first = 0;
  #last = 0;

  property(): void {}

  /** False: no reply with registers, or the topic names another range. */
  convert({ bytes, topicStart, topicEnd, payloadStart, payloadEnd }: Reply): boolean {
    const length = payloadEnd - payloadStart;
    if (length < 11 || topicEnd - topicStart > 512) return false;
    const code = bytes[payloadStart + 7]!;
    const size = bytes[payloadStart + 8]!;
    if ((bytes[payloadStart + 2]! | bytes[payloadStart + 3]!) !== 0) return false;
    if (bytes[payloadStart + 4]! * 256 + bytes[payloadStart + 5]! !== length - 6) return false;
    if ((code !== 3 && code !== 4) || size !== length - 9 || (size & 1) !== 0) return false;
    if (!this.#range(bytes, topicEnd) || this.#last - this.#first + 1 !== size >> 1) return false;
    let at = this.#copy(bytes, topicStart, topicEnd, 0);
    this.topicEnd = at;
    this.payloadStart = at;
    at = this.#number(bytes[payloadStart + 6]!, this.#copy(UNIT, 0, UNIT.length, at));
    at = this.#number(code, this.#copy(FUNCTION, 0, FUNCTION.length, at));
    at = this.#number(this.#first, this.#copy(FIRST, 0, FIRST.length, at));
    at = this.#copy(VALUES, 0, VALUES.length, at);
    for (let i = payloadStart + 9; i < payloadEnd; i += 2) {
      at = this.#number(bytes[i]! * 256 + bytes[i + 1]!, at);
      this.bytes[at++] = 0x2c;
    }
    this.bytes[at - 1] = 0x5d;
    this.bytes[at] = 0x7d;
    this.payloadEnd = at + 1;
    return true;
  }

  /** The topic ends in /<first>-<last>. */
  #range(bytes: Uint8Array, end: number): boolean {
    let at = end;
    let place = 1;
    let value = 0;
    for (; bytes[at - 1]! >= 0x30 && bytes[at - 1]! <= 0x39; at--) {
      value += (bytes[at - 1]! - 0x30) * place;
      place *= 10;
    }
    this.#last = value;
    if (bytes[at - 1] !== 0x2d) return false;
    at--;
    value = 0;
    place = 1;
    for (; bytes[at - 1]! >= 0x30 && bytes[at - 1]! <= 0x39; at--) {
      value += (bytes[at - 1]! - 0x30) * place;
      place *= 10;
    }
    this.#first = value;
    return bytes[at - 1] === 0x2f;
  }

  #copy(from: Uint8Array, start: number, end: number, at: number): number {
    const to = this.bytes;
    let place = at;
    for (let i = start; i < end; i++) to[place++] = from[i]!;
    return place;
  }

  /** 0 to 65,535 as digits. */
  #number(value: number, at: number): number {
    const size = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5;
    let rest = value;
    for (let i = at + size - 1; i >= at; i--) {
      const tenth = (rest * 0xcccd) >>> 19;
      this.bytes[i] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    return at + size;
  }
}
