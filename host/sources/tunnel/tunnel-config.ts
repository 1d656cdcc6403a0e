import type { ServerTlsConfig } from '../serve/server-certificate.js';

/** What a user says about a tunnel, after the configuration has been read and checked; sizes in bytes. */
export interface TunnelConfig {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls?: ServerTlsConfig;
  /** What a client has to say. Undefined: any may come. */
  readonly token?: string;
  /** Most frames of a client that are not acknowledged. 1,024. */
  readonly window?: number;
  /** Largest frame. 262,144. */
  readonly maxFrame?: number;
  /** How often a client that has nothing to send says that it is there. 30,000. */
  readonly keepAliveMs?: number;
  /** How long a client may take to say who it is. 5,000. */
  readonly helloMs?: number;
  /** How long a frame that has begun may take to come whole. 30,000. */
  readonly frameMs?: number;
  /** How often certificate files are looked at: renewed ones are there weeks before the old ones end. 5,000. */
  readonly lookMs?: number;
  /** Connections at once. 1,024. */
  readonly connections?: number;
  /** Of one address. 256. */
  readonly connectionsPerPeer?: number;
  /** Frames a second of one client; more are read later. No limit. */
  readonly rate?: number;
  /** The same of all clients together. No limit. */
  readonly totalRate?: number;
  /** Most bytes held, over all connections, of frames that have not come whole. 64 MiB. */
  readonly memory?: number;
}

/** What the code may assume. */
export type TunnelSettings = Required<Omit<TunnelConfig, 'host' | 'port' | 'tls' | 'token'>>;

/** The one place of the defaults. */
export function tunnelSettings(config: TunnelConfig): TunnelSettings {
  return {
    window: config.window ?? 1_024,
    maxFrame: config.maxFrame ?? 1 << 18,
    keepAliveMs: config.keepAliveMs ?? 30_000,
    helloMs: config.helloMs ?? 5_000,
    frameMs: config.frameMs ?? 30_000,
    lookMs: config.lookMs ?? 5_000,
    connections: config.connections ?? 1_024,
    connectionsPerPeer: config.connectionsPerPeer ?? 256,
    rate: config.rate ?? Number.POSITIVE_INFINITY,
    totalRate: config.totalRate ?? Number.POSITIVE_INFINITY,
    memory: config.memory ?? 64 << 20,
  };
}
