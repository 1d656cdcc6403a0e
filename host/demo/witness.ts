import { connectAsync, type MqttClient } from 'mqtt';
import type { DemoPlc } from './plc.js';
import { percentile, UnitTrack } from './unit-track.js';

/** What the subscriber has seen. */
export interface Sighting {
  readonly topic: string;
  readonly payload: string;
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
  readonly #tracks = new Map<number, UnitTrack>();
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

  /** What came of a unit so far. */
  unit(unit: number): UnitTrack {
    const track = this.#tracks.get(unit) ?? new UnitTrack();
    this.#tracks.set(unit, track);
    return track;
  }

  /** Sequences between the first and the last of a unit that never came. */
  get lost(): number {
    return [...this.#tracks.values()].reduce((sum, { lost }) => sum + lost, 0);
  }

  get duplicated(): number {
    return [...this.#tracks.values()].reduce((sum, { repeats }) => sum + repeats, 0);
  }

  /** Milliseconds from the PLC's reply to the subscriber. @param share 0 to 1 */
  latency(share: number): number {
    return percentile(this.#latencies, share);
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
    else this.#count(unit, sequence, text);
    this.onMessage({ topic, payload: text });
  }

  #count(unit: number, sequence: number, payload: string): void {
    const sentAt = this.#plc.sentAt(unit, sequence);
    const latency = sentAt === undefined ? undefined : performance.now() - sentAt;
    const track = this.unit(unit);
    track.take(sequence, latency);
    track.payload = payload;
    if (latency === undefined) return;
    if (this.#latencies.length >= KEPT) this.#latencies.length = 0;
    this.#latencies.push(latency);
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
