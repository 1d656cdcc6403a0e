import { READ, type ReadKind, readAnswerBytes } from '../../protocols/modbus-read.js';

/** One read request that is sent again and again. Made once; its changing fields belong to its device. */
export class Request {
  readonly unit: number;
  readonly kind: ReadKind;
  readonly code: number;
  readonly first: number;
  readonly count: number;
  /** Number of its topic at the Ingress. */
  readonly topic: number;
  /** Bytes of the answer. */
  readonly answerBytes: number;

  /** Queued or in flight. */
  underWay = false;
  transaction = 0;
  /** On the steady clock. */
  deadline = 0;
  /** How many answers its device had given when it was sent. */
  answersBefore = 0;

  constructor(unit: number, kind: ReadKind, first: number, last: number, topic: number) {
    this.unit = unit;
    this.kind = kind;
    this.code = READ[kind].code;
    this.first = first;
    this.count = last - first + 1;
    this.topic = topic;
    this.answerBytes = readAnswerBytes(this.code, this.count);
  }

  /** "holding 0-11", for messages. */
  get what(): string {
    return `${this.kind} ${this.first}-${this.first + this.count - 1}`;
  }
}

/** A bounded line of requests, first come, first served. Never allocates after it was made. */
export class RequestLine {
  readonly #places: (Request | undefined)[];
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#places = new Array<Request | undefined>(capacity).fill(undefined);
  }

  get length(): number {
    return this.#length;
  }

  /** The caller sees to it that there is a place. */
  push(request: Request): void {
    this.#places[this.#place(this.#length)] = request;
    this.#length += 1;
  }

  at(index: number): Request {
    return this.#places[this.#place(index)]!;
  }

  shift(): Request {
    return this.remove(0);
  }

  /** Answers mostly come in order, so what is moved up in front is mostly nothing. */
  remove(index: number): Request {
    const gone = this.at(index);
    for (let i = index; i > 0; i--) this.#places[this.#place(i)] = this.#places[this.#place(i - 1)];
    this.#places[this.#head] = undefined;
    this.#head = this.#place(1);
    this.#length -= 1;
    return gone;
  }

  /** Index of the request with this transaction id, or -1. */
  find(transaction: number): number {
    for (let i = 0; i < this.#length; i++) if (this.at(i).transaction === transaction) return i;
    return -1;
  }

  #place(index: number): number {
    const place = this.#head + index;
    return place < this.#places.length ? place : place - this.#places.length;
  }
}
