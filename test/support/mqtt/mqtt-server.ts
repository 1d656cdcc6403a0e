import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet';

type Properties = NonNullable<IConnackPacket['properties']>;

/** How the server answers. May be changed while it runs; counts for what comes next. */
export interface Behaviour {
  /** Reason code of CONNACK; 0 accepts. */
  connack: number;
  properties: Properties;
  /** Keep sessions and say so. */
  sessions: boolean;
  /** What comes instead of a PUBACK: a reason code, or nothing at all. */
  puback: (packet: IPublishPacket) => number | 'none';
  /** Called for each PUBLISH before it is answered. */
  onPublish: (packet: IPublishPacket, connection: Connection) => void;
  onConnect: (packet: IConnectPacket, connection: Connection) => void;
  /** The codes of SUBACK, or nothing at all. Default: what was asked for. */
  suback: (packet: ISubscribePacket) => number[] | 'none';
  onSubscribe: (packet: ISubscribePacket, connection: Connection) => void;
  pingresp: boolean;
  /** PUBREC is answered with PUBREL. */
  pubrel: boolean;
  /** Nothing is answered to CONNECT, unless `onConnect` does. */
  mute: boolean;
}

export interface Connection {
  readonly socket: Socket;
  /** Sends a packet in the version that the client speaks. */
  send(packet: Packet): void;
  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void;
  connect: IConnectPacket | undefined;
}

/**
 * A small MQTT server on mqtt-packet, 3.1.1 and 5.0, one that can also misbehave. It takes publications
 * and remembers them, and answers subscriptions; what a subscriber is sent is up to the test.
 */
export class TestServer {
  readonly published: IPublishPacket[] = [];
  readonly connects: IConnectPacket[] = [];
  readonly subscribes: ISubscribePacket[] = [];
  /** PUBACKs in the order in which they came: identifier and reason. */
  readonly acknowledged: (readonly [id: number, reason: number])[] = [];
  /** PUBRECs likewise, and PUBCOMPs. */
  readonly recorded: (readonly [id: number, reason: number])[] = [];
  readonly completed: (readonly [id: number, reason: number])[] = [];
  /** Pieces of data in which something came. */
  reads = 0;
  readonly connections = new Set<Connection>();
  disconnects = 0;
  pings = 0;
  readonly behaviour: Behaviour = {
    connack: 0,
    properties: {},
    sessions: false,
    puback: () => 0,
    onPublish: () => {},
    onConnect: () => {},
    suback: packet => packet.subscriptions.map(({ qos }) => qos),
    onSubscribe: () => {},
    pingresp: true,
    pubrel: true,
    mute: false,
  };
  readonly #server: Server;
  readonly #sessions = new Set<string>();
  readonly #waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(options: { port?: number; tls?: TlsOptions } = {}): Promise<TestServer> {
    const server = options.tls === undefined ? createServer({ noDelay: true }) : createTlsServer(options.tls);
    const test = new TestServer(server);
    server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
      test.#serve(socket),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: options.port ?? 0 }, resolve);
    });
    return test;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get payloads(): string[] {
    return this.published.map(packet => packet.payload.toString());
  }

  /** Tears down every connection. */
  cut(): void {
    for (const { socket } of this.connections) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #serve(socket: Socket): void {
    let version = 4;
    const decoder = parser();
    const connection: Connection = {
      socket,
      send: packet => socket.write(generate(packet, { protocolVersion: version })),
      raw: bytes => socket.write(bytes),
      connect: undefined,
    };
    this.connections.add(connection);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.connections.delete(connection);
      this.#changed();
    });
    socket.on('data', chunk => {
      this.reads += 1;
      decoder.parse(chunk);
      this.#changed();
    });
    decoder.on('error', () => socket.destroy());
    decoder.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect') {
        version = packet.protocolVersion ?? 4;
        connection.connect = packet;
        this.#connect(packet, connection);
      } else if (packet.cmd === 'publish') {
        this.published.push(packet);
        this.behaviour.onPublish(packet, connection);
        const reason = packet.qos > 0 ? this.behaviour.puback(packet) : 'none';
        if (reason === 'none' || socket.destroyed) return;
        connection.send({ cmd: 'puback', messageId: packet.messageId!, reasonCode: reason });
      } else if (packet.cmd === 'pingreq') {
        this.pings += 1;
        if (this.behaviour.pingresp) connection.send({ cmd: 'pingresp' });
      } else if (packet.cmd === 'subscribe') {
        this.subscribes.push(packet);
        const granted = this.behaviour.suback(packet);
        if (granted !== 'none') connection.send({ cmd: 'suback', messageId: packet.messageId!, granted });
        this.behaviour.onSubscribe(packet, connection);
      } else if (packet.cmd === 'puback') {
        this.acknowledged.push([packet.messageId!, packet.reasonCode ?? 0]);
      } else if (packet.cmd === 'pubrec') {
        this.recorded.push([packet.messageId!, packet.reasonCode ?? 0]);
        if (this.behaviour.pubrel && (packet.reasonCode ?? 0) < 0x80)
          connection.send({ cmd: 'pubrel', messageId: packet.messageId! });
      } else if (packet.cmd === 'pubcomp') {
        this.completed.push([packet.messageId!, packet.reasonCode ?? 0]);
      } else if (packet.cmd === 'disconnect') {
        this.disconnects += 1;
        socket.end();
      } else socket.destroy();
    });
  }

  #connect(packet: IConnectPacket, connection: Connection): void {
    const { connack, properties, sessions, mute, onConnect } = this.behaviour;
    this.connects.push(packet);
    if (mute) {
      onConnect(packet, connection);
      return;
    }
    if (packet.clean) this.#sessions.delete(packet.clientId);
    const sessionPresent = connack === 0 && sessions && this.#sessions.has(packet.clientId);
    if (sessions && connack === 0) this.#sessions.add(packet.clientId);
    connection.send({ cmd: 'connack', sessionPresent, returnCode: connack, reasonCode: connack, properties });
    onConnect(packet, connection);
    if (connack !== 0) connection.socket.end();
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}
