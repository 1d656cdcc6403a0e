import { SluiceError } from '../../../runtime/index.js';
import { READ, type ReadKind } from '../../protocols/modbus-read.js';
import { deviceLabel, type ModbusConfig, type ModbusDevice, type ModbusPoll } from './config.js';
import { Request } from './request.js';

/** What one device is asked in one period, together. */
export interface Round {
  readonly everyMs: number;
  readonly requests: readonly Request[];
}

export interface DevicePlan {
  readonly device: ModbusDevice;
  readonly rounds: readonly Round[];
}

const KINDS = Object.keys(READ) as ReadKind[];
const LAST_ADDRESS = 0xffff;

/**
 * Turns the configuration into requests and registers their topics. Polls of the same period become one
 * round, so that a device gets them in one write. Ranges that are longer than one request may ask for
 * (125 registers, 2000 bits) become several requests, each with a topic of its own.
 *
 * Topics: `<source>/<unit>/<function code>/<first>-<last>`, as in `line1/1/3/0-11`. In a source with more
 * than one device, whose units may be numbered alike, `<source>/<device>/<unit>/...`, where the device is
 * its configured name, else `host:port`.
 *
 * @throws SluiceError SLUICE_CONFIG_INVALID
 */
export function plan(name: string, config: ModbusConfig, topic: (text: string) => number): DevicePlan[] {
  const seen = new Set<string>();
  return config.devices.map(device => {
    const label = deviceLabel(device);
    if (seen.has(label))
      throw invalid(name, `two devices are called ${label}; give each a \`name\` of its own`);
    seen.add(label);
    const prefix = config.devices.length > 1 ? `${name}/${label}` : name;
    const rounds = new Map<number, Request[]>();
    for (const poll of config.poll) {
      if (!(poll.everyMs > 0)) throw invalid(name, `a poll every ${poll.everyMs} ms`);
      const requests = rounds.get(poll.everyMs) ?? [];
      rounds.set(poll.everyMs, requests);
      for (const unit of device.units) addRequests(requests, name, prefix, unit, poll, topic);
    }
    return { device, rounds: [...rounds].map(([everyMs, requests]) => ({ everyMs, requests })) };
  });
}

function addRequests(
  into: Request[],
  name: string,
  prefix: string,
  unit: number,
  poll: ModbusPoll,
  topic: (text: string) => number,
): void {
  const kinds = KINDS.filter(kind => poll[kind] !== undefined);
  const kind = kinds[0];
  const range = kind === undefined ? undefined : poll[kind];
  if (kind === undefined || range === undefined || kinds.length > 1) {
    throw invalid(name, `a poll has exactly one of ${KINDS.join(', ')}, not ${kinds.length}`);
  }
  if (range.first < 0 || range.last < range.first || range.last > LAST_ADDRESS) {
    throw invalid(name, `${kind} ${range.first}-${range.last} is not within 0-${LAST_ADDRESS}`);
  }
  const { code, most } = READ[kind];
  for (let first = range.first; first <= range.last; first += most) {
    const last = Math.min(first + most - 1, range.last);
    into.push(new Request(unit, kind, first, last, topic(`${prefix}/${unit}/${code}/${first}-${last}`)));
  }
}

function invalid(name: string, what: string): SluiceError {
  return new SluiceError('SLUICE_CONFIG_INVALID', `${name}: ${what}`);
}
