import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { Aedes, type Client } from 'aedes';
import type { Fault } from '../../runtime/index.js';
import { listen } from '../listen.js';
import { OwnEnds } from '../mqtt/own-ends.js';
import { Memory } from '../sources/serve/memory.js';
import { PeerCount, peerOf } from '../sources/serve/peer-count.js';
import { RateLimit } from '../sources/serve/rate-limit.js';
import { handshakeDefect, ServerCertificate } from '../sources/serve/server-certificate.js';
import { type BrokerConfig, brokerSettings } from './broker-config.js';
import { type BrokerRefusal, Door, type DoorHost } from './door.js';
import { Held } from './held.js';
import { Kept, type Persistence } from './kept.js';
import { Publishers } from './publishers.js';
import { Rights } from './rights.js';
import { type Subscriber, type SubscriptionStore, Subscriptions } from './subscriptions.js';
import { Wills } from './wills.js';

export interface Broker {
  readonly port: number;
  /** Where clients reach it. */
  readonly address: string;
  /** Where this machine reaches it, and what it has to say there. */
  readonly url: string;
  readonly own: { readonly username: string; readonly password: string } | undefined;
  /** Whose acknowledgements wait for the sources of the gateway; told of their client ids. */
  readonly held: Held;
  /** Told of each connection of a source or sink of the gateway: nobody else may come under the client ids of those. */
  readonly ends: OwnEnds;
  /** Connected clients. */
  clients(): number;
  /** Closes the listener and every connection. */
  stop(): Promise<void>;
}

export interface BrokerEvents {
  /** A client, or what it sent, was turned away. */
  refused(reason: BrokerRefusal, message: string, peer: string): void;
  /** The certificate was read again, or cannot be. */
  renewed(): void;
  failed(fault: Fault): void;
}

const SILENT: BrokerEvents = { refused: () => {}, renewed: () => {}, failed: () => {} };
/** 3.1.1 §3.2.2.3: bad user name or password. */
const BAD_PASSWORD = 4;
/** The same: the client id is not allowed. */
const BAD_NAME = 2;
/** The same: the server is unavailable. */
const UNAVAILABLE = 3;
/** What is said of a connection that its client has ended. */
const IS_GONE = /EPIPE|ECONNRESET|ended by the other party|after a stream was destroyed|^connection closed$/;
/** What aedes says of these was told where they were refused. */
const IS_TOLD = /^(bad user name or password|identifier rejected|no room for its will)$/;
/** aedes finds no message where `Kept` left it out. */
const NOT_KEPT = 'no such packet';

/**
 * The broker that a gateway brings along, for sites and devices that have none: aedes 1.2, in memory, MQTT 3.1.1. Each
 * connection goes through a `Door`, with ceilings. It cannot do:
 * - MQTT 5.0: such a client is answered with "unacceptable protocol version" (MqttSink falls back itself);
 * - shared subscriptions: `$share/...` is granted and delivers nothing;
 * - topics of more than 100 levels: it closes the connection of who publishes to one;
 * - rights for single topics: who is let in may publish and read everything;
 * - passing on without all of its readers: the others wait for one that does not read, which is cut off after 5 s;
 * - keeping more than `kept` of what clients subscribe to, for who is away, or retained, of one client a quarter: then new
 *   subscriptions are answered with "failure", new messages are left out there, and both are counted;
 * - anything durable: retained messages, sessions, and what was acknowledged to a device and no source of the gateway
 *   reads at QoS 1 (`Held`), end with the process;
 * - more than one process: no bridge, no cluster.
 * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED, SLUICE_TLS_CERTIFICATE
 */
export async function startBroker(config: BrokerConfig, events: BrokerEvents = SILENT): Promise<Broker> {
  const settings = brokerSettings(config);
  const rights = new Rights(config);
  const certificate = config.tls === undefined ? undefined : new ServerCertificate(config.tls, 'broker.tls');
  const secure = certificate?.load();
  const aedes = await Aedes.createBroker({
    connectTimeout: settings.helloMs,
    // The others wait for who does not read, all of them once a hundred messages do; a minute is its default.
    drainTimeout: settings.drainMs,
  });
  const peers = new WeakMap<object, string>();
  const inside = new WeakSet<object>();
  const told = new WeakSet<object>();
  const peerBehind = (client: Client): string => peers.get(client.conn) ?? 'a client';
  const held = new Held(aedes);
  const wills = new Wills(bytes => kept.takeWill(bytes));
  const ends = new OwnEnds();
  aedes.authenticate = (client, username, password, done) => {
    if (rights.admits(username, password, inside.has(client.conn))) {
      const isOwn = client.conn instanceof Door && client.conn.comesFrom(ends);
      if (!isOwn && held.isReserved(client.id)) {
        const who = JSON.stringify(client.id.slice(0, 60));
        const what = `came under the client id ${who}, which a source or sink of the gateway has`;
        events.refused('client-id', `${peerBehind(client)} ${what}; connection closed`, peerBehind(client));
        done(Object.assign(new Error('identifier rejected'), { returnCode: BAD_NAME }), null);
        return;
      }
      if (isOwn && held.isSink(client.id)) {
        held.sink(client.id);
        // It brings what has passed the ceilings of the sources.
        (client.conn as Door).isFree = true;
      }
      const full = isOwn ? undefined : wills.admit(client);
      if (full !== undefined) {
        const who = JSON.stringify(client.id.slice(0, 60));
        const text = `${peerBehind(client)} (${who}) was turned away: there is no room for its will: ${full}`;
        events.refused('full', text, peerBehind(client));
        done(Object.assign(new Error('no room for its will'), { returnCode: UNAVAILABLE }), null);
        return;
      }
      done(null, true);
      return;
    }
    const name =
      username === undefined ? 'no user name' : `the user name ${JSON.stringify(username.slice(0, 60))}`;
    events.refused(
      'password',
      `${peerBehind(client)} came with ${name} and not the right password`,
      peerBehind(client),
    );
    done(Object.assign(new Error('bad user name or password'), { returnCode: BAD_PASSWORD }), null);
  };
  const { persistence } = aedes as unknown as { persistence: Persistence };
  const kept = Kept.over(persistence, {
    kept: settings.kept,
    connections: settings.connections,
    isSource: id => held.isSource(id),
    retainerOf: payload => {
      const id = publishers.retainerOf(payload);
      // A sink retains for many devices. The name of one that goes to another broker may be anybody's here.
      return id !== undefined && held.isReserved(id) ? undefined : id;
    },
    full: text =>
      events.refused(
        'full',
        `${text}: what may be kept, three quarters of ${settings.kept} bytes (\`kept\`), or the quarter that one client may have, is used up`,
        'kept',
      ),
  });
  const subscriptions = new Subscriptions({
    most: settings.subscriptions,
    take: (clientId, bytes) => kept.take(clientId, bytes),
    isSource: id => held.isSource(id),
    refused: (client, why) => {
      const who = `${peers.get(client.conn) ?? 'a client'} (${JSON.stringify(client.id.slice(0, 60))})`;
      events.refused('full', `${who} is not subscribed to all that it asks for: ${why}`, 'subscriptions');
    },
  });
  subscriptions.guard(persistence as unknown as SubscriptionStore);
  aedes.authorizeSubscribe = (client, asked, done) =>
    subscriptions.authorize(client as Subscriber, asked, done);
  aedes.on('unsubscribe', (topics, client) => {
    if (client !== null && (client as Subscriber).clean)
      subscriptions.unsubscribed(client as Subscriber, topics);
  });
  const publishers = new Publishers(peerBehind, id => held.isSource(id));
  aedes.authorizePublish = (client, packet, done) => {
    const defect = publishers.note(client, packet);
    if (defect === undefined) held.authorize(client, packet, done);
    else done(defect);
  };
  aedes.authorizeForward = (client, packet) => publishers.mark(client, packet);
  aedes.on('connackSent', ({ returnCode }, client) => {
    // It is marked as sent behind this.
    if (returnCode === 0) process.nextTick(() => (client.conn as Door).admit());
  });
  aedes.on('connectionError', (client, { message }) => {
    if (IS_TOLD.test(message)) return;
    const reason = /did not arrive in time/.test(message) ? 'timeout' : 'protocol';
    events.refused(reason, `${peerBehind(client)} did not get connected: ${message}`, peerBehind(client));
  });
  aedes.on('clientError', (client, { message }) => {
    if (IS_TOLD.test(message)) return;
    // Who went away was not turned away.
    if (IS_GONE.test(message)) return;
    // aedes says it for each message that waited.
    if (told.has(client.conn)) return;
    told.add(client.conn);
    const isSlow = message === 'drain timeout';
    const why = isSlow
      ? `it has not read what it is sent for ${settings.drainMs} ms`
      : message === NOT_KEPT
        ? 'it has not acknowledged what it was sent, and no more is kept for it'
        : message;
    const who = `${peerBehind(client)} (${JSON.stringify(client.id.slice(0, 60))})`;
    events.refused(isSlow ? 'timeout' : 'protocol', `${who} was cut off: ${why}`, peerBehind(client));
  });

  const count = new PeerCount(settings.connections, settings.connectionsPerPeer);
  const sockets = new Set<Socket>();
  const doors = new Set<Door>();
  const memory = new Memory(settings, settings.maxPacket);
  const rate = new RateLimit(settings.totalRate);
  const enter = (socket: Socket): boolean => {
    const peer = peerOf(socket);
    const full = count.enter(peer);
    if (full !== undefined) {
      events.refused('connections', `${peer} was turned away: ${full}`, peer);
      socket.destroy();
      return false;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      count.leave(peer);
    });
    return true;
  };
  const accept = (socket: Socket, isInside = false): void => {
    const peer = peerOf(socket);
    const host: DoorHost = {
      settings,
      holds: bytes => memory.holds(bytes, peer),
      rates: [new RateLimit(settings.rate), rate],
      refused: (reason, text) => events.refused(reason, `${peer} ${text}; connection closed`, peer),
      slowed: () => {
        const most = `\`rate\` (${settings.rate} messages a second) or \`totalRate\` (${settings.totalRate})`;
        events.refused('rate', `${peer} sends more than ${most} allows: it is read later`, peer);
      },
    };
    const door = new Door(host, socket);
    peers.set(door, peer);
    if (isInside) inside.add(door);
    doors.add(door);
    door.once('close', () => doors.delete(door));
    aedes.handle(door);
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (const door of doors) door.look(now);
  }, settings.lookMs);
  timer.unref();

  // Small PUBACKs and Nagle's algorithm together cost 40 ms a turn.
  const options = { noDelay: true };
  const plain = createServer(options, socket => {
    if (enter(socket)) accept(socket, secure !== undefined);
  });
  const servers: Server[] = [plain];
  if (secure !== undefined) {
    const server = createTlsServer({ ...options, ...secure, handshakeTimeout: settings.helloMs }, socket =>
      accept(socket),
    );
    server.on('connection', enter);
    server.on('tlsClientError', (error, socket) => {
      const peer = peerOf(socket);
      events.refused('tls', `${peer} did not get through the TLS handshake: ${handshakeDefect(error)}`, peer);
    });
    servers.push(server);
  }
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    certificate?.stop();
    const closed = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())));
    await new Promise<void>(resolve => aedes.close(resolve));
    // Connections that never said CONNECT are not among the clients of aedes.
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
  };
  try {
    const [, tls] = servers as [Server, TlsServer?];
    const port = await listen(tls ?? plain, config, 'The embedded broker', 'broker');
    // The gateway itself needs no certificate: it comes in by a door of its own.
    const inner =
      tls === undefined
        ? port
        : await listen(plain, { host: '127.0.0.1', port: 0 }, 'The embedded broker', 'broker');
    if (tls !== undefined) certificate?.watch(tls, events, settings.lookMs);
    const address = urlOf(config.host, port, tls === undefined ? 'mqtt' : 'mqtts');
    const url = tls === undefined ? address : urlOf('127.0.0.1', inner, 'mqtt');
    return { port, address, url, own: rights.own, held, ends, clients: () => aedes.connectedClients, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Where this machine reaches what listens there: "any address" is none to connect to. */
function urlOf(host: string, port: number, scheme: 'mqtt' | 'mqtts'): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}
