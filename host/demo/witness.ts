import { connectAsync, type MqttClient } from 'mqtt';
import type { DemoPlc } from './plc.js';

/** What the subscriber has seen. */
export interface Sighting {
  readonly topic: string;
  readonly payload: string;
}

/** Sequences seen of one unit, by their order in the registers. */
interface Track {
  readonly seen: Set<number>;
  first: number;
  last: number;
  repeats: number;
}

/** Latencies kept for the percentiles: the newest. */
const KEPT = 100_000;
const END = 'sluice-demo/end';

/**
 * The counting witness: a subscriber of its own that reads the sequence numbers back out of the
 * messages, and so knows of loss and repeats without asking the gateway.
 */
export class Witness {
  readonly #client: MqttClient;
  readonly #plc: DemoPlc;
  readonly #tracks = new Map<number, Track>();
  readonly #latencies: number[] = [];
  #ended: () => void = () => {};
  messages = 0;
  unreadable = 0;
  /** Called for each message. */
  onMessage: (sighting: Sighting) => void = () => {};

  private constructor(client: MqttClient, plc: DemoPlc) {
    this.#client = client;
    this.#plc = plc;
    client.on('message', (topic, payload) => this.#take(topic, payload));
  }

  static async start(brokerPort: number, plc: DemoPlc): Promise<Witness> {
    const client = await connectAsync(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion: 4 });
    const witness = new Witness(client, plc);
    await client.subscribeAsync('#', { qos: 0 });
    return witness;
  }

  /** Waits until everything that was published before has come. */
  async caughtUp(): Promise<void> {
    const ended = new Promise<void>(resolve => {
      this.#ended = resolve;
    });
    await this.#client.publishAsync(END, '', { qos: 1 });
    await ended;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  /** Sequences between the first and the last of a unit that never came. */
  get lost(): number {
    let lost = 0;
    for (const { first, last, seen } of this.#tracks.values()) lost += last - first + 1 - seen.size;
    return lost;
  }

  get duplicated(): number {
    let repeats = 0;
    for (const track of this.#tracks.values()) repeats += track.repeats;
    return repeats;
  }

  /** Milliseconds from the PLC's reply to the subscriber. @param share 0 to 1 */
  latency(share: number): number {
    const sorted = Float64Array.from(this.#latencies).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }

  #take(topic: string, payload: Buffer): void {
    if (topic === END) {
      this.#ended();
      return;
    }
    this.messages++;
    const text = payload.toString();
    const unit = Number(topic.split('/')[1]);
    const sequence = sequenceOf(text);
    if (sequence === undefined || !Number.isInteger(unit)) this.unreadable++;
    else this.#count(unit, sequence);
    this.onMessage({ topic, payload: text });
  }

  #count(unit: number, sequence: number): void {
    const track = this.#tracks.get(unit) ?? { seen: new Set(), first: sequence, last: sequence, repeats: 0 };
    this.#tracks.set(unit, track);
    if (track.seen.has(sequence)) track.repeats++;
    track.seen.add(sequence);
    track.first = Math.min(track.first, sequence);
    track.last = Math.max(track.last, sequence);
    const sentAt = this.#plc.sentAt(unit, sequence);
    if (sentAt === undefined) return;
    if (this.#latencies.length >= KEPT) this.#latencies.length = 0;
    this.#latencies.push(performance.now() - sentAt);
  }
}

function sequenceOf(payload: string): number | undefined {
  try {
    const { points } = JSON.parse(payload) as { points?: { name: string; value: number }[] };
    return points?.find(({ name }) => name === 'sequence')?.value;
  } catch {
    return undefined;
  }
}
