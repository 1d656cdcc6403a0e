/** What a user says about CoAP devices that are read, after the configuration has been read and checked. */
export interface CoapClientConfig {
  readonly devices: readonly CoapDeviceConfig[];
  readonly poll: readonly CoapPoll[];
  readonly observe: readonly CoapTarget[];
  /** How long an answer may take, repeats of the request included. 20,000. */
  readonly timeoutMs?: number;
  /** Requests on their way to one device. 1, as RFC 7252, 4.7 wants it. */
  readonly inFlight?: number;
  /** Largest representation, put together from its blocks; bytes. 65,536. */
  readonly maxBody?: number;
  /** Waiting time before a device that was silent is asked again: doubles from `minMs` to `maxMs`. 500 and 30,000. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
  /** RFC 7641, 3.3.1: so long after its age, and up to three times that, an observation is renewed. 5,000. */
  readonly graceMs?: number;
}

export interface CoapDeviceConfig {
  readonly name?: string;
  readonly host: string;
  readonly port: number;
}

/** What is read of every device. */
export interface CoapTarget {
  /** As it was written: segments with `/`, and behind `?` the queries with `&`. */
  readonly path: string;
  /** Content format that is wanted. */
  readonly accept?: number;
}

export interface CoapPoll extends CoapTarget {
  readonly everyMs: number;
}

/** Longer nothing is believed to be fresh, seconds: a device that starts anew has forgotten who observes it. */
export const MOST_AGE_S = 3_600;

/** What the code may assume. */
export interface ClientSettings {
  readonly timeoutMs: number;
  readonly inFlight: number;
  readonly maxBody: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly graceMs: number;
}

/** The one place of the defaults. */
export function clientSettings(config: CoapClientConfig): ClientSettings {
  return {
    timeoutMs: config.timeoutMs ?? 20_000,
    inFlight: config.inFlight ?? 1,
    maxBody: config.maxBody ?? 1 << 16,
    minMs: config.reconnect?.minMs ?? 500,
    maxMs: config.reconnect?.maxMs ?? 30_000,
    graceMs: config.graceMs ?? 5_000,
  };
}
