/** What a user says about a CoAP server, after the configuration has been read and checked; sizes in bytes. */
export interface CoapConfig {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Largest body, put together from its blocks. 65,536. */
  readonly maxBody?: number;
  /** How long a request waits to be confirmed. 30,000. */
  readonly timeoutMs?: number;
  /** Before this an answer goes out with the acknowledgement of its request; after it, by itself. 400. */
  readonly separateMs?: number;
  /** Requests a second of one address; more are answered with 4.29. `peerShare` of `totalRate`. */
  readonly rate?: number;
  /** The same of all addresses together. No limit. */
  readonly totalRate?: number;
  /** Most bytes of bodies that have not come whole. 8 MiB. */
  readonly memory?: number;
  /** Most of these bodies. 256. */
  readonly bodies?: number;
  /** Most observations. 1,024. */
  readonly observers?: number;
  /** What one address may have of these three and of `totalRate`: it must not use up what the others need. 0.25. */
  readonly peerShare?: number;
  /** Requests that are remembered to know them when they come again, a power of two. 16,384. */
  readonly remembered?: number;
}

export type CoapSettings = Required<Omit<CoapConfig, 'host' | 'port'>>;

/** The one place of the defaults. */
export function coapSettings(config: CoapConfig): CoapSettings {
  const { totalRate = Number.POSITIVE_INFINITY, peerShare = 0.25 } = config;
  return {
    maxBody: config.maxBody ?? 1 << 16,
    timeoutMs: config.timeoutMs ?? 30_000,
    separateMs: config.separateMs ?? 400,
    rate: config.rate ?? Math.ceil(totalRate * peerShare),
    totalRate,
    bodies: config.bodies ?? 256,
    observers: config.observers ?? 1_024,
    peerShare,
    memory: config.memory ?? 8 << 20,
    remembered: config.remembered ?? 16_384,
  };
}
