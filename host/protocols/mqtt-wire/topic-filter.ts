import { MAX_STRING } from './constants.js';

/**
 * What is wrong with a topic filter, as a sentence without its subject; undefined: nothing.
 * 5.0 §4.7.1 and §4.8.2, 3.1.1 §4.7.1.
 */
export function filterDefect(filter: string): string | undefined {
  if (filter === '') return 'is empty';
  if (filter.includes('\0')) return 'holds a NUL'; // [MQTT-4.7.3-2]
  if (Buffer.byteLength(filter) > MAX_STRING) return `is longer than ${MAX_STRING} bytes`;
  const levels = filter.split('/');
  if (levels[0] === '$share') {
    // [MQTT-4.8.2-1] and [MQTT-4.8.2-2]
    const [, group = '', ...rest] = levels;
    if (group === '' || /[+#]/.test(group)) return 'needs a name without wildcards behind $share/';
    if (rest.join('/') === '') return 'has no filter behind the name of its group';
  }
  for (const [index, level] of levels.entries()) {
    // [MQTT-4.7.1-2], [MQTT-4.7.1-3] (3.1.1)
    if (level.includes('+') && level !== '+') return 'has a + that does not fill its level alone';
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1))
      return 'has a # that is not the last level by itself';
  }
  return undefined;
}

const SLASH = 0x2f;
const DOLLAR = 0x24;

/** Says which topics a filter is for, without an allocation. 5.0 and 3.1.1 §4.7.1. */
export class TopicFilter {
  readonly #levels: readonly (Buffer | '+' | '#')[];

  /** @param filter one without defect, and not shared */
  constructor(filter: string) {
    this.#levels = filter
      .split('/')
      .map(level => (level === '+' || level === '#' ? level : Buffer.from(level, 'utf8')));
  }

  /** The topic is `bytes[start, end)`. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    for (const level of this.#levels) {
      // §4.7.2 [MQTT-4.7.2-1]: a wildcard in the first place is not for topics of the broker itself.
      if (at === start && bytes[start] === DOLLAR && typeof level === 'string') return false;
      // §4.7.1.2: `#` stands for the level above it, too.
      if (level === '#') return true;
      if (at > end) return false;
      let next = at;
      while (next < end && bytes[next] !== SLASH) next++;
      if (level !== '+' && !isSame(level, bytes, at, next)) return false;
      at = next + 1;
    }
    return at > end;
  }
}

/** Two subscriptions of one connection for which a broker may send a message twice: all of `other` is in `filter`. */
export function covers(filter: string, other: string): boolean {
  const mine = filter.split('/');
  const theirs = other.split('/');
  // [MQTT-4.7.2-1]
  if (other.startsWith('$') && (mine[0] === '#' || mine[0] === '+')) return false;
  for (const [index, level] of mine.entries()) {
    if (level === '#') return true;
    if (theirs[index] === undefined || theirs[index] === '#') return false;
    if (level !== '+' && level !== theirs[index]) return false;
  }
  return mine.length === theirs.length;
}

function isSame(level: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (level.length !== end - start) return false;
  for (let i = 0; i < level.length; i++) if (level[i] !== bytes[start + i]) return false;
  return true;
}
