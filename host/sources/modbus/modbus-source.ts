import { RtuDevice } from '../modbus-rtu/rtu-device.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { type Clock, systemClock } from './clock.js';
import { isRtu, linkSettings, type ModbusConfig } from './config.js';
import { Device, type DeviceHost, type PolledDevice } from './device.js';
import { plan, type Round } from './plan.js';
import { Schedule, type ScheduleLine } from './schedule.js';

/** A device and what it is asked together. */
interface Turn {
  readonly device: PolledDevice;
  readonly round: Round;
}

/**
 * Polls Modbus devices, over TCP or on serial lines. Each answer, and each exception, becomes a frame whose
 * payload is the whole MBAP ADU: as it was received, or with RTU as Modbus TCP would have carried the PDU, so
 * that plugins need not know the difference; its property `peer` is where the device is. See `plan` for the topics.
 *
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
 */
export class ModbusSource implements Source {
  readonly repeats = true;
  readonly #clock: Clock;
  readonly #devices: PolledDevice[] = [];
  readonly #schedule: Schedule<Turn>;
  /** Devices that wait for room, the longest first. */
  readonly #blocked: PolledDevice[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @throws SluiceError SLUICE_CONFIG_INVALID */
  constructor(name: string, config: ModbusConfig, ingress: Ingress, clock: Clock = systemClock()) {
    this.#clock = clock;
    const settings = linkSettings(config);
    const blocked = (device: PolledDevice): void => void this.#blocked.push(device);
    const host: DeviceHost = { name, ingress, clock, settings, blocked };
    const turns = new Map<number, Turn[]>();
    for (const { device: where, rounds } of plan(name, config, text => ingress.topic(text))) {
      const requests = rounds.reduce((sum, round) => sum + round.requests.length, 0);
      const device = isRtu(where) ? new RtuDevice(host, where, requests) : new Device(host, where, requests);
      this.#devices.push(device);
      for (const round of rounds) {
        const turn = { device, round };
        const line = turns.get(round.everyMs);
        if (line === undefined) turns.set(round.everyMs, [turn]);
        else line.push(turn);
      }
    }
    const lines: ScheduleLine<Turn>[] = [...turns].map(([everyMs, items]) => ({ everyMs, items }));
    this.#schedule = new Schedule(
      lines,
      ({ device, round }) => device.poll(round.requests),
      ({ device, round }, periods) =>
        ingress.skipped('SLUICE_SOURCE_LATE', periods * round.requests.length, device.label),
    );
  }

  start(): Promise<void> {
    for (const device of this.#devices) device.start();
    this.#schedule.start(this.#clock.steady());
    this.#tick();
    return Promise.resolve();
  }

  resume(): void {
    // Those that find no room again stand behind the others.
    for (let waiting = this.#blocked.length; waiting > 0; waiting--) {
      const device = this.#blocked.shift();
      if (device !== undefined && !device.resume()) return;
    }
  }

  /** A poll is answered already when its frame is made: there is nothing to acknowledge. */
  delivered(): void {}

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#blocked.length = 0;
    await Promise.all(this.#devices.map(device => device.stop()));
  }

  state(): readonly SourcePeer[] {
    return this.#devices.map(device => device.state());
  }

  readonly #tick = (): void => {
    const next = this.#schedule.run(this.#clock.steady());
    if (next === Number.POSITIVE_INFINITY) return;
    // A timer waits whole milliseconds and at most 2^31 of them; what is not due yet is looked at again.
    const wait = Math.ceil(next - this.#clock.steady());
    this.#timer = setTimeout(this.#tick, Math.min(Math.max(1, wait), 2 ** 31 - 1));
  };
}
