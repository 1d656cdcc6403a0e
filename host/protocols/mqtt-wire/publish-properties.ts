import { PROPERTY_ID } from './constants.js';

/** Bytes of a value of fixed size; -1: a string or binary data; -2: two strings; -3: a Variable Byte Integer. */
const TEXT = -1;
const PAIR = -2;
const VARINT = -3;

/** 5.0 §3.3.2.3: what PUBLISH may carry. Of the identifiers below 48 the others are 0. */
const SIZES = new Int8Array(48);
SIZES[PROPERTY_ID.payloadFormatIndicator] = 1;
SIZES[PROPERTY_ID.messageExpiryInterval] = 4;
SIZES[PROPERTY_ID.contentType] = TEXT;
SIZES[PROPERTY_ID.responseTopic] = TEXT;
SIZES[PROPERTY_ID.correlationData] = TEXT;
SIZES[PROPERTY_ID.subscriptionIdentifier] = VARINT;
SIZES[PROPERTY_ID.topicAlias] = 2;
SIZES[PROPERTY_ID.userProperty] = PAIR;

/** Steps through the property field of a PUBLISH without an object for each. */
export class PublishProperties {
  id = 0;
  /** The value; of a user property the name, whose value is at `valueStart`. */
  start = 0;
  end = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The field does not follow the protocol: it is cut short, or holds what may not be there. */
  broken = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Stands before the first property of `bytes[start, end)`. */
  over(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.broken = false;
  }

  /** False at the end, or where the field is broken. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.id = this.#bytes[this.#at]!;
    const size = this.id < SIZES.length ? SIZES[this.id]! : 0;
    this.start = this.#at + 1;
    if (size === 0) return this.#break();
    if (size === TEXT || size === PAIR) {
      this.end = this.#string(this.start);
      this.start += 2;
      this.valueEnd = this.end;
      if (size === PAIR) {
        this.valueEnd = this.end > this.#end ? this.end : this.#string(this.end);
        this.valueStart = this.end + 2;
      }
    } else {
      this.end = size === VARINT ? this.#varint(this.start) : this.start + size;
      this.valueEnd = this.end;
    }
    this.#at = this.valueEnd;
    return this.#at <= this.#end || this.#break();
  }

  #break(): false {
    this.broken = true;
    this.#at = this.#end;
    return false;
  }

  /** The offset behind the string at `at`, beyond the end if it is cut short. */
  #string(at: number): number {
    if (at + 2 > this.#end) return this.#end + 1;
    return at + 2 + ((this.#bytes[at]! << 8) | this.#bytes[at + 1]!);
  }

  #varint(at: number): number {
    let i = at;
    while (i < at + 3 && i < this.#end && this.#bytes[i]! >= 0x80) i += 1;
    return i + 1;
  }
}
