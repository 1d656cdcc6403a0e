import { SluiceError } from '../../../runtime/index.js';
import type { Range } from './config.js';

/** Units and addresses are 16 bits at most; this also bounds the list that a typo can ask for. */
const LARGEST = 0xffff;

/**
 * "1-4", "1,3,7-9" or 5 as a list of numbers, in the order given, each once.
 * @param what the setting, for the message
 * @throws SluiceError SLUICE_CONFIG_INVALID
 */
export function parseRange(text: string | number, what: string): number[] {
  const numbers = new Set<number>();
  for (const part of String(text).split(',')) {
    const { first, last } = span(part, text, what);
    for (let value = first; value <= last; value++) numbers.add(value);
  }
  return [...numbers];
}

/**
 * "0-11" or 5 as first and last number.
 * @param what the setting, for the message
 * @throws SluiceError SLUICE_CONFIG_INVALID
 */
export function parseSpan(text: string | number, what: string): Range {
  return span(String(text), text, what);
}

/** `text` is what the user wrote, of which `part` is looked at. */
function span(part: string, text: string | number, what: string): Range {
  const match = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(part);
  if (match === null) throw invalid(text, what, 'is no number or range such as 0-11');
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (last < first) throw invalid(text, what, 'ends before it begins');
  if (last > LARGEST) throw invalid(text, what, `goes beyond ${LARGEST}`);
  return { first, last };
}

function invalid(text: string | number, what: string, why: string): SluiceError {
  return new SluiceError('SLUICE_CONFIG_INVALID', `${what}: "${text}" ${why}`);
}
