import type { Ingress } from '../../host/sources/source.js';
import { type Fault, SluiceError } from '../../runtime/index.js';

export interface RecordedFrame {
  readonly topic: string;
  readonly timestampMs: number;
  readonly bytes: Buffer;
}

/** An Ingress that keeps what it is given, can refuse it, and lets a test wait for it. */
export class RecordingIngress implements Ingress {
  readonly topics: string[] = [];
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

  topic(text: string): number {
    return this.topics.push(text) - 1;
  }

  properties(): number {
    return 0;
  }

  push(topic: number, timestampMs: number, bytes: Uint8Array, start: number, end: number): number {
    const name = this.topics[topic];
    if (name === undefined) throw new SluiceError('SLUICE_INTERNAL', `topic ${topic} was never registered`);
    if (this.places <= 0) {
      this.refused += 1;
      this.#changed();
      return 0;
    }
    this.places -= 1;
    this.frames.push({ topic: name, timestampMs, bytes: Buffer.from(bytes.subarray(start, end)) });
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
