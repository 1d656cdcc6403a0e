import type { ReadKind } from '../../protocols/modbus-read.js';
import type { SerialLine } from '../modbus-rtu/rtu-config.js';

/** 0-based Modbus addresses, both included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** What a user says about a Modbus source, after the configuration has been read and checked. */
export interface ModbusConfig {
  readonly devices: readonly ModbusDevice[];
  readonly poll: readonly ModbusPoll[];
  /** How long an answer may take. 1000. */
  readonly timeoutMs?: number;
  /** Requests on their way on one connection. 4; 1 for devices that cannot pipeline; always 1 with RTU. */
  readonly inFlight?: number;
  /** RTU: silence between an answer and the next request, on top of what the line itself needs. 0. */
  readonly gapMs?: number;
  /** Waiting time before a connection is tried again: doubles from `minMs` to `maxMs`. 500 and 30000. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
}

/** One TCP endpoint; its units share one connection. */
export interface TcpDevice {
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly units: readonly number[];
  /** `rtu`: frames of a serial line in TCP, as device servers send them. Default `tcp`, with the MBAP header. */
  readonly framing?: 'tcp' | 'rtu';
  readonly serial?: undefined;
}

/** One serial line with all units on it. */
export interface SerialDevice {
  readonly name?: string;
  readonly serial: SerialLine;
  readonly units: readonly number[];
  readonly host?: undefined;
  readonly port?: undefined;
}

export type ModbusDevice = TcpDevice | SerialDevice;
/** Those whose frames have a check sum and no header. */
export type RtuDeviceConfig = SerialDevice | (TcpDevice & { readonly framing: 'rtu' });

export function isRtu(device: ModbusDevice): device is RtuDeviceConfig {
  return device.serial !== undefined || device.framing === 'rtu';
}

/** What is read from every unit of every device. Exactly one of the four ranges is given. */
export interface ModbusPoll extends Readonly<Partial<Record<ReadKind, Range>>> {
  readonly everyMs: number;
}

/** What the code may assume: the settings of every connection. */
export interface LinkSettings {
  readonly timeoutMs: number;
  readonly inFlight: number;
  readonly gapMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** The one place of the defaults. */
export function linkSettings(config: ModbusConfig): LinkSettings {
  return {
    timeoutMs: config.timeoutMs ?? 1_000,
    inFlight: config.inFlight ?? 4,
    gapMs: config.gapMs ?? 0,
    minMs: config.reconnect?.minMs ?? 500,
    maxMs: config.reconnect?.maxMs ?? 30_000,
  };
}

/** How a device is called in topics, messages and status: its name, else where it is. */
export function deviceLabel(device: ModbusDevice): string {
  return device.name ?? deviceAddress(device);
}

/** Where a device is. */
export function deviceAddress(device: ModbusDevice): string {
  return device.serial === undefined ? `${device.host}:${device.port}` : device.serial.path;
}
