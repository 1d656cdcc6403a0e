import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { SluiceError } from '../../runtime/index.js';

export interface BrokerOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

export interface Broker {
  readonly port: number;
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
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  // Small PUBACKs and Nagle's algorithm together cost 40 ms a turn.
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  try {
    await listen(server, options);
  } catch (thrown) {
    await new Promise<void>(resolve => aedes.close(resolve));
    throw thrown;
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
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

function listen(server: Server, { host, port }: BrokerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'SLUICE_LISTEN_IN_USE' : 'SLUICE_LISTEN_FAILED';
      reject(
        new SluiceError(code, `The embedded broker cannot listen on ${host}:${port}: ${error.message}.`, {
          cause: error,
        }),
      );
    });
    server.listen({ host, port }, resolve);
  });
}
