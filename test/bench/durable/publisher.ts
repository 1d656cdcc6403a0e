import { connectAsync, type MqttClient } from 'mqtt';

/** Unconfirmed messages of one source: mosquitto hangs up on a publisher with thousands of them. */
const WINDOW = 200;

/** Publishes numbers of one source as fast as the broker confirms them, at QoS 1 and MQTT 5.0. */
export class Publisher {
  readonly #client: MqttClient;
  readonly #topic: string;

  private constructor(client: MqttClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  static async connect(port: number, source: number): Promise<Publisher> {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
    return new Publisher(client, `in/${source}`);
  }

  /** Numbers [from, to), each padded to a width. Resolves when the broker has confirmed all of them. */
  publish(from: number, to: number, width: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let next = from;
      let open = 0;
      const fill = (): void => {
        for (; open < WINDOW && next < to; open++)
          this.#client.publish(this.#topic, String(next++).padEnd(width), { qos: 1 }, confirmed);
      };
      const confirmed = (error?: Error): void => {
        if (error) {
          reject(error);
          return;
        }
        open--;
        if (next < to) fill();
        else if (open === 0) resolve();
      };
      fill();
    });
  }

  async close(): Promise<void> {
    await this.#client.endAsync();
  }
}
