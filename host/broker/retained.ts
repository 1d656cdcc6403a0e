import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { TopicFilter } from '../protocols/mqtt-wire/topic-filter.js';

/** So many topics are looked at before others have their turn, for all who ask: one packet may hold a thousand SUBSCRIBEs. */
const AT_ONCE = 1_000;

/** What is looked at of a packet. */
export interface RetainedPacket {
  readonly topic?: string;
  readonly payload?: string | Buffer;
}

/**
 * The last message under each topic that was published to stay. In place of that of aedes, which looks at all of them for
 * each filter of a SUBSCRIBE before anything else happens.
 */
export class Retained {
  readonly #byTopic = new Map<string, RetainedPacket>();
  /** Looks that this turn of the loop has left. */
  #looks = AT_ONCE;
  #nextTurn: Promise<void> | undefined;

  get(topic: string): RetainedPacket | undefined {
    return this.#byTopic.get(topic);
  }

  /** Without a payload nothing stays. Source: 3.1.1 §3.3.1.3. */
  put(packet: RetainedPacket): void {
    const { topic = '', payload = '' } = packet;
    if (payload.length === 0) this.#byTopic.delete(topic);
    // aedes goes on with its own.
    else this.#byTopic.set(topic, { ...packet });
  }

  /** What is for any of these filters. For `createRetainedStreamCombi` of aedes. */
  stream(filters: readonly string[]): Readable {
    return Readable.from(this.#matching(filters));
  }

  async *#matching(filters: readonly string[]): AsyncGenerator<RetainedPacket> {
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.#byTopic.get(filter);
        if (packet !== undefined) yield packet;
        continue;
      }
      const fits = new TopicFilter(filter);
      for (const [topic, packet] of this.#byTopic) {
        while (this.#looks === 0) await this.#turn();
        this.#looks -= 1;
        const bytes = Buffer.from(topic);
        if (fits.matches(bytes, 0, bytes.length)) yield packet;
      }
    }
  }

  #turn(): Promise<void> {
    this.#nextTurn ??= turn().then(() => {
      this.#nextTurn = undefined;
      this.#looks = AT_ONCE;
    });
    return this.#nextTurn;
  }
}
