import type { ReadKind } from '../../protocols/modbus-read.js';

/** 0-based Modbus addresses, both included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** What a user says about a Modbus TCP source, after the configuration has been read and checked. */
export interface ModbusConfig {
  readonly devices: readonly ModbusDevice[];
  readonly poll: readonly ModbusPoll[];
  /** How long an answer may take. 1000. */
  readonly timeoutMs?: number;
  /** Requests on their way on one connection. 4; 1 for devices that cannot pipeline. */
  readonly inFlight?: number;
  /** Waiting time before a connection is tried again: doubles from `minMs` to `maxMs`. 500 and 30000. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
}

/** One TCP endpoint; its units share one connection. */
export interface ModbusDevice {
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly units: readonly number[];
}

/** What is read from every unit of every device. Exactly one of the four ranges is given. */
export interface ModbusPoll extends Readonly<Partial<Record<ReadKind, Range>>> {
  readonly everyMs: number;
}

/** What the code may assume: the settings of every connection. */
export interface LinkSettings {
  readonly timeoutMs: number;
  readonly inFlight: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** The one place of the defaults. */
export function linkSettings(config: ModbusConfig): LinkSettings {
  return {
    timeoutMs: config.timeoutMs ?? 1_000,
    inFlight: config.inFlight ?? 4,
    minMs: config.reconnect?.minMs ?? 500,
    maxMs: config.reconnect?.maxMs ?? 30_000,
  };
}

/** How a device is called in topics, messages and status: its name, else where it is. */
export function deviceLabel(device: ModbusDevice): string {
  return device.name ?? `${device.host}:${device.port}`;
}
