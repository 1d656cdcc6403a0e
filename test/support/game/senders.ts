import { TunnelClient } from '../../../host/tunnel-client/tunnel-client.js';
import { type Connection, TestServer } from '../mqtt/mqtt-server.js';
import { send } from '../sources/http-rig.js';

export type SourceName = 'floor' | 'plc' | 'hooks';

/** First byte of a frame that some guests fail on. */
const POISON = '\xee';

/** What one source has sent, in its order: frames 1, 2, 3, ... */
export abstract class Sender {
  readonly name: SourceName;
  sent = 0;
  /** Of these the gateway has said that they are safe. */
  readonly acknowledged = new Set<number>();
  /** These it has refused: they may have arrived or not. */
  readonly refused = new Set<number>();
  /** These were sent more than once: they may come under more than one id. */
  readonly again = new Set<number>();

  constructor(name: SourceName) {
    this.name = name;
  }

  /** @param poisoned of these frames, counted from 0, are @param pad bytes of each */
  send(count: number, poisoned: (index: number) => boolean, pad: number): void {
    const frames: Buffer[] = [];
    for (let index = 0; index < count; index++) {
      const text = `${poisoned(index) ? POISON : ''}${this.name}:${++this.sent}:`;
      frames.push(Buffer.from(text.padEnd(pad, '.'), 'latin1'));
    }
    this.give(frames, this.sent - count + 1);
  }

  /** Nothing is to be waited for any more. */
  get isThrough(): boolean {
    return this.acknowledged.size + this.refused.size === this.sent;
  }

  protected abstract give(frames: Buffer[], first: number): void;
  abstract close(): Promise<void>;
}

/** Which frame the payload of a message is. */
export function frameOf(payload: Uint8Array): { source: string; frame: number } {
  const [source = '', frame = ''] = Buffer.from(payload).toString('latin1').replace(POISON, '').split(':', 2);
  return { source, frame: Number(frame) };
}

/** A broker from which the gateway reads: what is not acknowledged it sends again on the next connection. */
export class FloorSender extends Sender {
  readonly server: TestServer;
  readonly #open = new Map<number, Buffer>();
  #reader: Connection | undefined;
  #seen = 0;

  private constructor(server: TestServer) {
    super('floor');
    this.server = server;
    server.behaviour.onSubscribe = (_packet, connection) => {
      this.#reader = connection;
      // What is acknowledged by now is not sent again: nobody would wait for it.
      void this.isThrough;
      for (const [frame, payload] of this.#open) {
        this.again.add(frame);
        this.#publish(frame, payload, true);
      }
    };
  }

  static async start(): Promise<FloorSender> {
    return new FloorSender(await TestServer.start());
  }

  get port(): number {
    return this.server.port;
  }

  override get isThrough(): boolean {
    // Identifiers are those of the frames: one that comes again has the same.
    for (; this.#seen < this.server.acknowledged.length; this.#seen++) {
      const [id] = this.server.acknowledged[this.#seen] as readonly [number, number];
      this.acknowledged.add(id);
      this.#open.delete(id);
    }
    return super.isThrough;
  }

  protected give(frames: Buffer[], first: number): void {
    void this.isThrough;
    for (const [index, payload] of frames.entries()) {
      this.#open.set(first + index, payload);
      this.#publish(first + index, payload, false);
    }
  }

  /** The line breaks. */
  cut(): void {
    void this.isThrough;
    this.server.cut();
  }

  close(): Promise<void> {
    return this.server.stop();
  }

  #publish(messageId: number, payload: Buffer, dup: boolean): void {
    const reader = this.#reader;
    if (reader === undefined || reader.socket.destroyed) return;
    reader.send({ cmd: 'publish', topic: 'in/floor', payload, qos: 1, messageId, dup, retain: false });
  }
}

/** A box at a PLC with a tunnel. */
export class PlcSender extends Sender {
  readonly #client: TunnelClient;

  constructor(port: number) {
    super('plc');
    this.#client = new TunnelClient({
      host: '127.0.0.1',
      port,
      client: 'box',
      capacity: 100_000,
      retryMs: 20,
      acknowledged: sequence => {
        for (let frame = this.acknowledged.size + 1; frame <= sequence; frame++) this.acknowledged.add(frame);
      },
    });
  }

  protected give(frames: Buffer[]): void {
    for (const payload of frames) this.#client.send({ payload, topic: 'in/plc' });
  }

  cut(): void {
    this.#client.cut();
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

/** Anything that speaks HTTP: one request after the other, and what was refused is not sent again. */
export class HooksSender extends Sender {
  readonly #port: number;
  readonly #token: string;
  #turn: Promise<void> = Promise.resolve();

  constructor(port: number, token: string) {
    super('hooks');
    this.#port = port;
    this.#token = token;
  }

  protected give(frames: Buffer[], first: number): void {
    this.#turn = this.#turn.then(() => this.#post(frames, first));
  }

  async #post(frames: Buffer[], first: number): Promise<void> {
    const body = Buffer.concat(frames.map(frame => Buffer.concat([frame, Buffer.from('\n')])));
    const headers = {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/x-ndjson',
      'content-length': `${body.length}`,
    };
    const asked = { path: '/ingest/hooks', method: 'POST', headers };
    const answer = await send(this.#port, asked, body).catch(() => ({ status: 0 }));
    const to = answer.status === 202 ? this.acknowledged : this.refused;
    for (let index = 0; index < frames.length; index++) to.add(first + index);
  }

  async close(): Promise<void> {
    await this.#turn;
  }
}
