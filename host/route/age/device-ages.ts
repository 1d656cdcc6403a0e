import type { Fault } from '../../../runtime/index.js';
import type { Source } from '../../sources/source.js';
import type { Cell } from '../../telemetry/cells.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { StaleRule } from './freshness.js';

export interface DeviceAgesParts {
  readonly name: string;
  readonly rule: Pick<StaleRule, 'afterMs'>;
  readonly source: Pick<Source, 'state'>;
  readonly report: Pick<Reporter, 'fault' | 'info'>;
  readonly failed: (code: Fault['code']) => void;
  /** How many are stale. */
  readonly stale: Cell;
}

interface Device {
  lastFrame: number;
  /** When that was seen, on the steady clock, ms. */
  since: number;
  isStale: boolean;
}

/** Devices that a line of the log names. */
const NAMED = 5;

/**
 * The age of the data of each device of a source that asks several: one of a hundred that is silent, though it may take
 * connections, does not make its source stale.
 */
export class DeviceAges {
  readonly #parts: DeviceAgesParts;
  readonly #devices = new Map<string, Device>();

  /** @param now on the steady clock, ms: the source starts */
  constructor(parts: DeviceAgesParts, now: number) {
    this.#parts = parts;
    for (const { name, lastFrame } of parts.source.state())
      this.#devices.set(name, { lastFrame, since: now, isStale: false });
  }

  isStale(device: string): boolean {
    return this.#devices.get(device)?.isStale === true;
  }

  /** Judges all of them. @param from nothing before this is held against them */
  look(now: number, from: number): void {
    // One alone is its source.
    if (this.#devices.size < 2) return;
    const { afterMs } = this.#parts.rule;
    const silent: string[] = [];
    const back: string[] = [];
    let stale = 0;
    for (const { name, lastFrame } of this.#parts.source.state()) {
      const device = this.#devices.get(name);
      if (device === undefined) continue;
      if (device.lastFrame !== lastFrame) {
        device.lastFrame = lastFrame;
        device.since = now;
      }
      const isStale = now - Math.max(device.since, from) >= afterMs;
      if (isStale) stale++;
      if (isStale !== device.isStale) (isStale ? silent : back).push(name);
      device.isStale = isStale;
    }
    this.#parts.stale.set(stale);
    if (silent.length > 0) this.#silent(silent, stale);
    if (back.length > 0) this.#back(back, stale);
  }

  #silent(names: readonly string[], stale: number): void {
    const { name, rule, report, failed } = this.#parts;
    failed('SLUICE_SOURCE_STALE');
    const verb = names.length === 1 ? 'has' : 'have';
    const all = `${stale} of the ${this.#devices.size} devices of ${name} are stale`;
    const message = `${listOf(names)} of ${name} ${verb} brought no data for ${rule.afterMs / 1000} s (\`staleAfter\`); ${all}`;
    report.fault({ code: 'SLUICE_SOURCE_STALE', message }, { source: name, device: names[0] ?? '' });
  }

  #back(names: readonly string[], stale: number): void {
    const { name, report } = this.#parts;
    const rest = stale === 0 ? '' : `; ${stale} of its devices are stale still`;
    const verb = names.length === 1 ? 'brings' : 'bring';
    report.info(`${listOf(names)} of ${name} ${verb} data again${rest}`, { source: name });
  }
}

function listOf(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}
