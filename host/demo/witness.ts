import { connectAsync, type MqttClient } from 'mqtt';
import type { DemoDevice, Reading } from './demo-device.js';
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
  /** By the first two levels of their topics. */
  readonly #devices: ReadonlyMap<string, DemoDevice>;
  readonly #tracks = new Map<string, UnitTrack>();
  readonly #latencies: number[] = [];
  #ended: () => void = () => {};
  messages = 0;
  unreadable = 0;
  /** Called for each message. */
  onMessage: (sighting: Sighting) => void = () => {};

  private constructor(client: MqttClient, devices: readonly DemoDevice[]) {
    this.#client = client;
    this.#devices = new Map(devices.flatMap(device => device.rows.map(row => [row, device])));
    client.on('message', (topic, payload) => this.#take(topic, payload));
  }

  static async start(brokerPort: number, devices: readonly DemoDevice[]): Promise<Witness> {
    const client = await connectAsync(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion: 4 });
    const witness = new Witness(client, devices);
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

  /** What came so far for a row of the table. */
  track(row: string): UnitTrack {
    const track = this.#tracks.get(row) ?? new UnitTrack();
    this.#tracks.set(row, track);
    return track;
  }

  /** Sequences between the first and the last of a row that never came. */
  get lost(): number {
    return [...this.#tracks.values()].reduce((sum, { lost }) => sum + lost, 0);
  }

  get duplicated(): number {
    return [...this.#tracks.values()].reduce((sum, { repeats }) => sum + repeats, 0);
  }

  /** Milliseconds from the device's reply to the subscriber. @param share 0 to 1 */
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
    const row = topic.split('/', 2).join('/');
    const device = this.#devices.get(row);
    const reading = device?.read(text);
    if (device === undefined || reading === undefined) this.unreadable++;
    else this.#count(row, device, reading);
    this.onMessage({ topic, payload: text });
  }

  #count(row: string, { sent }: DemoDevice, { sequence, words }: Reading): void {
    const sentAt = sent.sentAt(row, sequence);
    const latency = sentAt === undefined ? undefined : performance.now() - sentAt;
    const track = this.track(row);
    track.take(sequence, latency);
    track.words = words;
    if (latency === undefined) return;
    if (this.#latencies.length >= KEPT) this.#latencies.length = 0;
    this.#latencies.push(latency);
  }
}
