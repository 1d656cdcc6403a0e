import { SluiceError } from '../../../runtime/index.js';
import type { ScheduleLine } from '../modbus/schedule.js';
import type { CoapClientConfig, CoapTarget } from './client-config.js';
import { ClientDevice, type ClientHost } from './client-device.js';
import { partsOf, Reading } from './reading.js';

/** A device, and what it is asked when its turn comes. */
export interface Turn {
  readonly device: ClientDevice;
  readonly reading: Reading;
}

/**
 * Turns the configuration into devices and readings, and registers their topics: `<source>/<path>`, with more than one
 * device `<source>/<device>/<path>`, where the device is its configured name, else `host:port`. Queries are no part of
 * the topic. What has the same period is spread evenly over it.
 *
 * @throws SluiceError SLUICE_CONFIG_INVALID
 */
export function planDevices(
  host: ClientHost,
  config: CoapClientConfig,
): { readonly devices: ClientDevice[]; readonly lines: ScheduleLine<Turn>[] } {
  const { name, ingress } = host;
  const labels = new Set<string>();
  const turns = new Map<number, Turn[]>();
  const devices = config.devices.map(where => {
    const label = where.name ?? `${where.host}:${where.port}`;
    if (labels.has(label)) {
      const what = `${name}: two devices are called ${label}; give each a \`name\` of its own`;
      throw new SluiceError('SLUICE_CONFIG_INVALID', what);
    }
    labels.add(label);
    const prefix = config.devices.length > 1 ? `${name}/${label}` : name;
    const readingOf = (target: CoapTarget, isObserved: boolean): Reading => {
      const topic = [prefix, ...partsOf(target.path).segments].join('/');
      return new Reading(target, isObserved, ingress.topic(topic), ingress);
    };
    const device = new ClientDevice(
      host,
      where,
      config.observe.map(target => readingOf(target, true)),
    );
    for (const poll of config.poll) {
      const line = turns.get(poll.everyMs) ?? [];
      turns.set(poll.everyMs, line);
      line.push({ device, reading: readingOf(poll, false) });
    }
    return device;
  });
  return { devices, lines: [...turns].map(([everyMs, items]) => ({ everyMs, items })) };
}
