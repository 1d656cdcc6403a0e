import type { Ingress } from '../../../host/sources/source.js';
import { type Fault, type PropertyImage, SluiceError, type Stamp } from '../../../runtime/index.js';

export interface RecordedFrame {
  readonly topic: string;
  readonly timestampMs: number;
  readonly bytes: Buffer;
  readonly properties: readonly (readonly [string, string])[];
}

type Properties = RecordedFrame['properties'];

/** An Ingress that keeps what it is given, can refuse it, and lets a test wait for it. */
export class RecordingIngress implements Ingress {
  readonly topics: string[] = [];
  readonly lists: Properties[] = [[]];
  readonly frames: RecordedFrame[] = [];
  readonly skips = new Map<Fault['code'], number>();
  readonly faults: (Fault & { readonly peer: string | undefined })[] = [];
  /** How often `push` has answered 0. */
  refused = 0;
  /** What `hasRoom` says. */
  room = true;
  /** How many more frames `push` takes. */
  places = Number.POSITIVE_INFINITY;
  #waiting: { readonly when: () => boolean; readonly done: () => void }[] = [];

  /** Peers that were said to answer. */
  readonly peers: string[] = [];

  connected(peer: string): void {
    this.peers.push(peer);
    this.#changed();
  }

  topic(text: string): number {
    return this.topics.push(text) - 1;
  }

  topicOf(bytes: Uint8Array, start: number, end: number, reuse = this.topics.length): number {
    this.topics[reuse] = Buffer.from(bytes.subarray(start, end)).toString();
    return reuse;
  }

  properties(list: Properties): number {
    return list.length === 0 ? 0 : this.lists.push(list) - 1;
  }

  propertiesOf({ bytes, count }: PropertyImage, reuse = this.lists.length): number {
    const text = (at: number): string => {
      const start = bytes.readUInt32LE(at);
      return bytes.toString('utf8', start, start + bytes.readUInt32LE(at + 4));
    };
    this.lists[reuse] = Array.from({ length: count }, (_, n) => [text(n * 16), text(n * 16 + 8)]);
    return reuse;
  }

  push(topic: number, time: Stamp, bytes: Uint8Array, start: number, end: number, properties = 0): number {
    const name = this.topics[topic];
    if (name === undefined) throw new SluiceError('SLUICE_INTERNAL', `topic ${topic} was never registered`);
    if (this.places <= 0) {
      this.refused += 1;
      this.#changed();
      return 0;
    }
    this.places -= 1;
    const copy = Buffer.from(bytes.subarray(start, end));
    const list = this.lists[properties];
    if (list === undefined)
      throw new SluiceError('SLUICE_INTERNAL', `list ${properties} was never registered`);
    this.frames.push({ topic: name, timestampMs: msOf(time), bytes: copy, properties: list });
    this.#changed();
    return this.frames.length;
  }

  hasRoom(): boolean {
    return this.room;
  }

  skipped(code: Fault['code'], count = 1): void {
    this.skips.set(code, this.skipsOf(code) + count);
    this.#changed();
  }

  failed(fault: Fault, peer?: string): void {
    this.faults.push({ ...fault, peer });
    this.#changed();
  }

  /** Skipped with this code so far. */
  skipsOf(code: Fault['code']): number {
    return this.skips.get(code) ?? 0;
  }

  /** Faults with this code so far. */
  faultsOf(code: Fault['code']): string[] {
    return this.faults.filter(fault => fault.code === code).map(fault => fault.message);
  }

  /** Done as soon as `when` holds; looked at after each call of the source. */
  until(when: () => boolean): Promise<void> {
    if (when()) return Promise.resolve();
    return new Promise(done => this.#waiting.push({ when, done }));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ when }) => !when());
    for (const one of waiting) if (!this.#waiting.includes(one)) one.done();
  }
}

/** Milliseconds since 1970, to the microsecond. */
export function msOf({ low, high }: Stamp): number {
  const nanos = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return Number(nanos / 1000n) / 1000;
}
