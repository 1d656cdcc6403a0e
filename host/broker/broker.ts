import { createServer, isIPv6, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { type ListenAddress, listen } from '../listen.js';

export interface Broker {
  readonly port: number;
  /** Where this machine reaches it. */
  readonly url: string;
  /** Connected clients. */
  clients(): number;
  /** Closes the listener and every connection. */
  stop(): Promise<void>;
}

/**
 * The broker that a gateway without configured sinks brings along: aedes 1.2, in memory, MQTT 3.1.1. It is
 * for a first look and for small sites. It cannot do:
 * - MQTT 5.0: such a client is answered with "unacceptable protocol version" (MqttSink falls back itself);
 * - shared subscriptions: `$share/...` is granted and delivers nothing;
 * - topics of more than 100 levels: it closes the connection of who publishes to one;
 * - passwords and rights: keep it on a loopback address;
 * - anything durable: retained messages and sessions end with the process.
 * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED
 */
export async function startBroker(address: ListenAddress): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  // Small PUBACKs and Nagle's algorithm together cost 40 ms a turn.
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  let port: number;
  try {
    port = await listen(server, address, 'The embedded broker', 'broker');
  } catch (thrown) {
    await new Promise<void>(resolve => aedes.close(resolve));
    throw thrown;
  }
  return {
    port,
    url: urlOf(address.host, port),
    clients: () => aedes.connectedClients,
    stop: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      await new Promise<void>(resolve => aedes.close(resolve));
      // Connections that never said CONNECT are not among the clients of aedes.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Where this machine reaches what listens there: "any address" is none to connect to. */
function urlOf(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `mqtt://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}
