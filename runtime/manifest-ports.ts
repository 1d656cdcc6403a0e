/** The field `ports` of a manifest: what a plugin takes and gives, so that a chain is checked before it runs. */
import { FLOW_FORMATS, FLOW_KINDS } from './chain/flow.js';
import type { Ports } from './chain/ports.js';
import { SluiceError } from './errors.js';

type Check = (value: unknown) => boolean;

const isText: Check = value => typeof value === 'string' && value !== '';
const isTextOrNull: Check = value => value === null || isText(value);
const oneOf =
  (words: readonly string[]): Check =>
  value =>
    words.some(word => word === value);

const COMMON = { format: oneOf(FLOW_FORMATS), of: oneOf(FLOW_KINDS), size: isText };
const ENDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  takes: { ...COMMON, needsRate: value => typeof value === 'boolean' },
  gives: { ...COMMON, channels: isTextOrNull, rate: isTextOrNull },
};

/** @throws SluiceError SLUICE_MANIFEST_INVALID */
export function checkPortsField(value: unknown): Ports {
  for (const [end, fields] of entries('ports', value)) {
    const known = Object.hasOwn(ENDS, end) ? ENDS[end] : undefined;
    if (known === undefined) return invalid(`ports.${end}`, 'is not known; known are takes, gives');
    for (const [key, each] of entries(`ports.${end}`, fields)) {
      const check = Object.hasOwn(known, key) ? known[key] : undefined;
      if (check === undefined)
        return invalid(`ports.${end}.${key}`, `is not known; known are ${Object.keys(known).join(', ')}`);
      if (!check(each)) return invalid(`ports.${end}.${key}`, 'has a value that it cannot have');
    }
  }
  return value as Ports;
}

function entries(at: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return invalid(at, 'is not an object');
  return Object.entries(value);
}

function invalid(field: string, why: string): never {
  throw new SluiceError('SLUICE_MANIFEST_INVALID', `manifest: ${field}: ${why}`);
}
