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
