import type { Range } from '../modbus/config.js';

/** What a user says about an address on which devices write, after the configuration has been read and checked. */
export interface ModbusServerConfig {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Unit ids that are taken. Default: all. */
  readonly units?: readonly number[];
  /** Addresses that may be written. Default: all. */
  readonly coils?: Range;
  readonly holding?: Range;
  /** How long a write may wait for its confirmation before it is answered with "busy". 500. */
  readonly timeoutMs?: number;
  /** How long a connection may be silent. 600,000. */
  readonly idleMs?: number;
  /** Connections at once. 64. */
  readonly connections?: number;
  /** Of one address. Infinity: devices behind one converter or router share an address. */
  readonly connectionsPerPeer?: number;
  /** Writes a second of one address. Infinity. */
  readonly rate?: number;
  /** The same of all addresses together. Infinity. */
  readonly totalRate?: number;
  /** How long a request that has begun may take to come whole. 5000. */
  readonly requestMs?: number;
}

/** What the code may assume. */
export interface ServerSettings {
  /** By unit id, 256 of them: 1 if it is taken. */
  readonly units: Uint8Array;
  readonly coils: Range;
  readonly holding: Range;
  readonly timeoutMs: number;
  readonly idleMs: number;
  readonly requestMs: number;
  readonly connections: number;
  readonly connectionsPerPeer: number;
  readonly rate: number;
  readonly totalRate: number;
}

const EVERY: Range = { first: 0, last: 0xffff };

/** The one place of the defaults. */
export function serverSettings(config: ModbusServerConfig): ServerSettings {
  const units = new Uint8Array(256).fill(config.units === undefined ? 1 : 0);
  for (const unit of config.units ?? []) units[unit] = 1;
  return {
    units,
    coils: config.coils ?? EVERY,
    holding: config.holding ?? EVERY,
    // Below the second that most clients wait for an answer: who is told comes again in good order.
    timeoutMs: config.timeoutMs ?? 500,
    idleMs: config.idleMs ?? 600_000,
    requestMs: config.requestMs ?? 5_000,
    connections: config.connections ?? 64,
    connectionsPerPeer: config.connectionsPerPeer ?? Number.POSITIVE_INFINITY,
    rate: config.rate ?? Number.POSITIVE_INFINITY,
    totalRate: config.totalRate ?? Number.POSITIVE_INFINITY,
  };
}
