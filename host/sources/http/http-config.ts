import type { ServerTlsConfig } from '../serve/server-certificate.js';

/** What a user says about HTTP ingest, after the configuration has been read and checked; sizes in bytes. */
export interface HttpConfig {
  /** Where it listens; undefined: the admin server takes requests for it. Port 0: any that is free. */
  readonly listen?: { readonly host: string; readonly port: number; readonly tls?: ServerTlsConfig };
  /** What a request has to carry. Undefined: any may come that does not come from a web page. */
  readonly token?: string;
  /** Largest body, after it was unpacked. 1 MiB. */
  readonly maxBody?: number;
  /** How long a request may take to come (on an address of its own), and then to be confirmed. 30,000. */
  readonly timeoutMs?: number;
  /** How often certificate files are looked at. 5,000. */
  readonly lookMs?: number;
  /** Connections at once, in all and of one address, with `listen`. 1,024 and 256. */
  readonly connections?: number;
  readonly connectionsPerPeer?: number;
  /** Requests a second of one address; more are told to come again. No limit. */
  readonly rate?: number;
  /** The same of all addresses together. No limit. */
  readonly totalRate?: number;
  /** Most bytes of requests in hand: bodies, and 4 KiB for each until it is answered. 64 MiB. */
  readonly memory?: number;
}

/** What the code may assume. */
export type HttpSettings = Required<Omit<HttpConfig, 'listen' | 'token'>>;

/** The one place of the defaults. */
export function httpSettings(config: HttpConfig): HttpSettings {
  return {
    maxBody: config.maxBody ?? 1 << 20,
    timeoutMs: config.timeoutMs ?? 30_000,
    lookMs: config.lookMs ?? 5_000,
    connections: config.connections ?? 1_024,
    connectionsPerPeer: config.connectionsPerPeer ?? 256,
    rate: config.rate ?? Number.POSITIVE_INFINITY,
    totalRate: config.totalRate ?? Number.POSITIVE_INFINITY,
    memory: config.memory ?? 64 << 20,
  };
}
