import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync, type MqttClient } from 'mqtt';
import { adu, answerTo, RawDevice, type SeenRequest } from './plc.js';

/** Milliseconds that a test waits for what is to come: it is there to end one that waits in vain, not to measure how busy the machine is. */
export const PATIENCE_MS = 60_000;

/** Lets a test wait for a condition that events bring about, and fail with words when it does not come. */
export class Waiting {
  readonly #looks = new Set<() => void>();

  changed(): void {
    for (const look of [...this.#looks]) look();
  }

  /** @param what for the message when it does not come within PATIENCE_MS (asked for then) */
  until(what: string | (() => string), condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(new Error(`waited in vain for: ${typeof what === 'string' ? what : what()}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}

/** First register of a frame at which the guests `*-modbus` do what they are named after. */
export const POISON = 0xee00;

/**
 * A device on real Modbus TCP that counts: register 0 is what `mark` says, registers 1 and 2 are a sequence
 * of the unit (1, 2, 3, ...), high word first.
 */
export class CountingPlc {
  readonly #device: RawDevice;
  readonly #sequences = new Map<number, number>();
  readonly #waiting = new Waiting();
  /** Register 0, by sequence. */
  mark: (sequence: number) => number = () => 0;
  /** False: nothing is answered. */
  answering = true;

  constructor() {
    this.#device = new RawDevice((request, socket) => this.#answer(request, socket));
  }

  static async start(port = 0, host?: string): Promise<CountingPlc & { port: number }> {
    const plc = new CountingPlc();
    return Object.assign(plc, { port: await plc.#device.start(port, host) });
  }

  /** Replies so far, of all units. */
  get replies(): number {
    return [...this.#sequences.values()].reduce((sum, last) => sum + last, 0);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.#waiting.until(what, condition);
  }

  /** Closes every connection. */
  cut(): void {
    for (const socket of this.#device.sockets) socket.destroy();
  }

  stop(): Promise<void> {
    return this.#device.stop();
  }

  #answer(request: SeenRequest, socket: Socket): void {
    if (!this.answering) return;
    const sequence = (this.#sequences.get(request.unit) ?? 0) + 1;
    this.#sequences.set(request.unit, sequence);
    if (request.count < 3) socket.write(answerTo(request));
    else {
      const registers = [this.mark(sequence), sequence >>> 16, sequence & 0xffff];
      const bytes = Buffer.alloc(request.count * 2);
      for (const [index, register] of registers.entries()) bytes.writeUInt16BE(register, index * 2);
      socket.write(adu(request, [request.code, bytes.length, ...bytes]));
    }
    this.#waiting.changed();
  }
}

/** Sequences that have arrived, by topic: from the JSON of modbus-json, or from a reply echoed as it is. */
class Tally {
  readonly seen = new Map<string, Map<number, number>>();
  readonly topics = new Map<string, number>();
  readonly #waiting = new Waiting();
  messages = 0;
  /** Payloads of the last messages, for messages of assertions. */
  last = '';

  take(topic: string, payload: Buffer): void {
    const unit = topic.split('/').slice(0, 2).join('/');
    const sequences = this.seen.get(unit) ?? new Map<number, number>();
    this.seen.set(unit, sequences);
    const sequence = sequenceOf(payload);
    sequences.set(sequence, (sequences.get(sequence) ?? 0) + 1);
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1);
    this.last = payload.toString();
    this.messages++;
    this.#waiting.changed();
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.#waiting.until(() => `${what} (${this.messages} messages came)`, condition);
  }

  atLeast(messages: number): Promise<void> {
    return this.until(`${messages} messages`, () => this.messages >= messages);
  }

  /** Sequences from 1 to the highest that never came. */
  missing(unit = 'line1/1'): number[] {
    const sequences = this.seen.get(unit) ?? new Map<number, number>();
    const highest = Math.max(0, ...sequences.keys());
    return Array.from({ length: highest }, (_, index) => index + 1).filter(n => !sequences.has(n));
  }

  /** Sequences that never came, between the first and the last that did: for who came late. */
  gaps(unit = 'line1/1'): number[] {
    const first = Math.min(...(this.seen.get(unit)?.keys() ?? [0]));
    return this.missing(unit).filter(sequence => sequence > first);
  }

  /** Sequences that came more than once. */
  repeated(unit = 'line1/1'): number[] {
    return [...(this.seen.get(unit) ?? [])].filter(([, times]) => times > 1).map(([sequence]) => sequence);
  }

  highest(unit = 'line1/1'): number {
    return Math.max(0, ...(this.seen.get(unit)?.keys() ?? []));
  }
}

function sequenceOf(payload: Buffer): number {
  if (payload[0] !== 0x7b) return payload.readUInt32BE(11);
  const { values } = JSON.parse(payload.toString()) as { values: number[] };
  return (values[1] as number) * 65536 + (values[2] as number);
}

/** A subscriber (mqtt.js) that tallies everything. */
export class Subscriber extends Tally {
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    super();
    this.#client = client;
    client.on('message', (topic, payload) => this.take(topic, payload));
  }

  static async connect(port: number): Promise<Subscriber> {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
    const subscriber = new Subscriber(client);
    await client.subscribeAsync('#', { qos: 1 });
    return subscriber;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

/** An aedes that can be stopped and started on its port again; tallies what it takes, so that no subscriber has to be quick. */
export class RestartableBroker extends Tally {
  #port: number;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(port = 0) {
    super();
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<this> {
    const aedes = await Aedes.createBroker();
    // aedes confirms first and emits 'publish' later: a broker that is stopped in between has taken it all the same.
    aedes.authorizePublish = (client, packet, done) => {
      if (client !== null) this.take(packet.topic, packet.payload as Buffer);
      done(null);
    };
    const server = createServer({ noDelay: true }, socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      aedes.handle(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: this.#port }, resolve);
    });
    this.#port = (server.address() as { port: number }).port;
    this.#aedes = aedes;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    const aedes = this.#aedes;
    if (server === undefined || aedes === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>(resolve => aedes.close(resolve));
    await closed;
  }
}
