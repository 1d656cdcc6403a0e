import type { ListenAddress } from '../listen.js';
import type { ServerTlsConfig } from '../sources/serve/server-certificate.js';

/** What a user may say about the embedded broker, read and checked. Defaults are in `brokerSettings`. */
export interface BrokerConfig extends ListenAddress {
  readonly tls?: ServerTlsConfig | undefined;
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** Good as password of any user name, or of none. */
  readonly token?: string | undefined;
  readonly connections?: number | undefined;
  readonly connectionsPerPeer?: number | undefined;
  /** Messages a second of one connection. */
  readonly rate?: number | undefined;
  /** The same of all connections together. */
  readonly totalRate?: number | undefined;
  readonly maxPacket?: number | undefined;
  readonly memory?: number | undefined;
  readonly kept?: number | undefined;
  /** Most subscriptions of one client. */
  readonly subscriptions?: number | undefined;
  /** How long a client may take to say who it is, and a packet that has begun to come whole. */
  readonly helloMs?: number | undefined;
  readonly packetMs?: number | undefined;
  /** How long a subscriber may not read. */
  readonly drainMs?: number | undefined;
}

/** What the code may assume. */
export interface BrokerSettings {
  readonly connections: number;
  readonly connectionsPerPeer: number;
  readonly rate: number;
  readonly totalRate: number;
  /** Bytes. */
  readonly maxPacket: number;
  /** Bytes of packets that have not come whole, over all connections. */
  readonly memory: number;
  /** Bytes of retained messages, of those for clients that are away, of those at QoS 2 before their PUBREL, of subscriptions and wills. */
  readonly kept: number;
  readonly subscriptions: number;
  readonly helloMs: number;
  readonly packetMs: number;
  readonly drainMs: number;
  readonly lookMs: number;
}

/** The one place of the defaults. */
export function brokerSettings(config: BrokerConfig): BrokerSettings {
  const { helloMs = 10_000, packetMs = 10_000 } = config;
  return {
    connections: config.connections ?? 1_024,
    connectionsPerPeer: config.connectionsPerPeer ?? 256,
    rate: config.rate ?? Number.POSITIVE_INFINITY,
    totalRate: config.totalRate ?? Number.POSITIVE_INFINITY,
    maxPacket: config.maxPacket ?? 2 ** 20,
    memory: config.memory ?? 2 ** 26,
    kept: config.kept ?? 2 ** 26,
    subscriptions: config.subscriptions ?? 1_024,
    helloMs,
    packetMs,
    drainMs: config.drainMs ?? 5_000,
    lookMs: Math.max(10, Math.min(1_000, helloMs / 4, packetMs / 4)),
  };
}
