import type { ModbusConfig, ModbusDevice, ModbusPoll, SerialDevice } from '../../sources/modbus/config.js';
import { parseRange, parseSpan } from '../../sources/modbus/range.js';
import type { ModbusServerConfig } from '../../sources/modbus-server/server-config.js';
import type { SourceConfig } from '../config.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { ModbusInput } from '../schema/modbus.js';

/** Most addresses of one request. Source: MODBUS Application Protocol V1.1b3, 6.1 to 6.4. */
const MOST_ADDRESSES = { coils: 2000, discrete: 2000, holding: 125, input: 125 } as const;

type Table = keyof typeof MOST_ADDRESSES;

/** What says where the devices are. */
const WHERE = { devices: 'on TCP', serial: 'one line', listen: 'devices that write' } as const;
/** What only polling has; `listen` has settings of its own. */
const POLLING = ['units', 'poll', 'timeout', 'inFlight', 'gap', 'reconnect'] as const;

export function normaliseModbus(input: ModbusInput, path: Path, read: Reader): SourceConfig {
  const given = (Object.keys(WHERE) as (keyof typeof WHERE)[]).filter(key => input[key] !== undefined);
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.map(key => `\`${key}\``).join(' and ');
    const ways = Object.entries(WHERE).map(([key, what]) => `\`${key}\` (${what})`);
    read.error(path, `has ${has} of ${ways.join(', ')}; exactly one is right`);
  }
  if (input.listen !== undefined) {
    for (const key of POLLING) {
      if (input[key] !== undefined && given.length === 1) {
        read.error([...path, key], 'goes with polling, and a source with `listen` polls nothing');
      }
    }
    return { modbusServer: normaliseListen(input.listen, [...path, 'listen'], read) };
  }
  if (input.poll === undefined) read.error(path, '"poll" is missing', { at: 'key' });
  return { modbus: normalisePolling(input, path, read) };
}

function normalisePolling(input: ModbusInput, path: Path, read: Reader): ModbusConfig {
  const reconnect = read.reconnect(input.reconnect, [...path, 'reconnect']);
  const timeoutMs = read.duration(input.timeout, [...path, 'timeout'], { least: 1 });
  const gapMs = read.duration(input.gap, [...path, 'gap']);
  return {
    devices: normaliseDevices(input, path, read),
    poll: (input.poll ?? []).flatMap(
      (poll, index) => normalisePoll(poll, [...path, 'poll', index], read) ?? [],
    ),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(input.inFlight === undefined ? {} : { inFlight: input.inFlight }),
    ...(gapMs === undefined ? {} : { gapMs }),
    ...(reconnect === undefined ? {} : { reconnect }),
  };
}

function normaliseDevices(input: ModbusInput, path: Path, read: Reader): ModbusDevice[] {
  const { devices, serial, units } = input;
  if (serial !== undefined) return [normaliseSerial(serial, units, path, read)];
  if (units !== undefined) {
    read.error([...path, 'units'], 'goes with `serial`; on TCP each of the `devices` has units of its own');
  }
  const names = new Set<string>();
  for (const [index, { name }] of (devices ?? []).entries()) {
    if (name === undefined) continue;
    if (names.has(name)) read.error([...path, 'devices', index, 'name'], `"${name}" stands here twice`);
    names.add(name);
  }
  return (devices ?? []).map((device, index) => normaliseDevice(device, [...path, 'devices', index], read));
}

function normaliseSerial(
  { path: port, baud = 19_200, parity = 'even', dataBits = 8, stopBits }: NonNullable<ModbusInput['serial']>,
  units: ModbusInput['units'],
  path: Path,
  read: Reader,
): SerialDevice {
  const stop = stopBits ?? (parity === 'none' ? 2 : 1);
  return {
    serial: { path: port, baud, parity, dataBits, stopBits: stop },
    units: unitsOf(units, path, read),
  };
}

function normaliseDevice(
  input: NonNullable<ModbusInput['devices']>[number],
  path: Path,
  read: Reader,
): ModbusDevice {
  return {
    ...(input.name === undefined ? {} : { name: input.name }),
    host: input.host,
    port: input.port ?? 502,
    units: unitsOf(input.units, path, read),
    ...(input.framing === undefined ? {} : { framing: input.framing }),
  };
}

function normaliseListen(
  input: NonNullable<ModbusInput['listen']>,
  path: Path,
  read: Reader,
): ModbusServerConfig {
  const addresses = (key: 'coils' | 'holding') => {
    const text = input[key];
    return text === undefined ? undefined : read.attempt([...path, key], () => parseSpan(text, 'addresses'));
  };
  const coils = addresses('coils');
  const holding = addresses('holding');
  const timeoutMs = read.duration(input.timeout, [...path, 'timeout'], { least: 1 });
  const idleMs = read.duration(input.idle, [...path, 'idle'], { least: 1000 });
  return {
    host: input.host ?? '127.0.0.1',
    port: input.port ?? 502,
    ...(input.units === undefined ? {} : { units: unitsOf(input.units, path, read) }),
    ...(coils === undefined ? {} : { coils }),
    ...(holding === undefined ? {} : { holding }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(idleMs === undefined ? {} : { idleMs }),
    ...(input.connections === undefined ? {} : { connections: input.connections }),
    ...(input.connectionsPerPeer === undefined ? {} : { connectionsPerPeer: input.connectionsPerPeer }),
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    ...(input.totalRate === undefined ? {} : { totalRate: input.totalRate }),
  };
}

function unitsOf(input: string | number | undefined, path: Path, read: Reader): number[] {
  const units = read.attempt([...path, 'units'], () => parseRange(input ?? 1, 'unit ids')) ?? [];
  // One byte on the wire. Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3 (MBAP header).
  if (units.some(unit => unit > 255)) read.error([...path, 'units'], 'a unit id is at most 255');
  return units;
}

function normalisePoll(
  input: NonNullable<ModbusInput['poll']>[number],
  path: Path,
  read: Reader,
): ModbusPoll | undefined {
  const everyMs = read.duration(input.every, [...path, 'every'], { least: 1 });
  const table = (Object.keys(MOST_ADDRESSES) as Table[]).find(name => input[name] !== undefined);
  if (table === undefined) return undefined;
  const here = [...path, table];
  const range = read.attempt(here, () => parseSpan(input[table]!, 'addresses'));
  if (range === undefined || everyMs === undefined) return undefined;
  const count = range.last - range.first + 1;
  if (count > MOST_ADDRESSES[table]) {
    read.error(
      here,
      `asks for ${count} addresses; one request carries at most ${MOST_ADDRESSES[table]}, so split it`,
    );
  }
  return { [table]: range, everyMs };
}
