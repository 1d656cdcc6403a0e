import type { StaleRule } from '../../route/age/freshness.js';
import type { SourceConfig } from '../config.js';
import type { Reader } from '../reader.js';
import type { ConfigInput } from '../schema/schema.js';

const LEAST_POLLED_MS = 10_000;
/** Polls that may fail before the data of a polled source is old. */
const POLLS = 10;
const DEFAULT_MS = 600_000;

/** The one place of the defaults. */
export function normaliseStale(
  input: ConfigInput['sources'],
  sources: ReadonlyMap<string, SourceConfig>,
  read: Reader,
): ReadonlyMap<string, StaleRule> {
  const rules = new Map<string, StaleRule>();
  for (const [name, source] of sources) {
    const { staleAfter } = input[name] ?? {};
    const given =
      staleAfter === 'never'
        ? Number.POSITIVE_INFINITY
        : read.duration(staleAfter, ['sources', name, 'staleAfter'], { least: 1 });
    const connects = (source.modbus ?? source.mqtt ?? source.coapClient) !== undefined;
    rules.set(name, {
      afterMs: given ?? defaultOf(source),
      fromStart: connects || given !== undefined,
      // By default topics may be quiet: a connection is not given up for that unless somebody says that it is wrong.
      renew: given !== undefined,
    });
  }
  return rules;
}

function defaultOf({ modbus, coapClient }: SourceConfig): number {
  const polls = (modbus ?? coapClient)?.poll ?? [];
  if (polls.length === 0) return DEFAULT_MS;
  return Math.max(LEAST_POLLED_MS, POLLS * Math.max(...polls.map(({ everyMs }) => everyMs)));
}
