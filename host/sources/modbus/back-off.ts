/**
 * Milliseconds to wait before try number `attempt` (0, 1, 2, ...): doubles from `minMs` to `maxMs`.
 * The jitter takes away up to half, so that a thousand devices behind one switch do not all come back
 * in the same moment.
 */
export function backOff(attempt: number, minMs: number, maxMs: number, random = Math.random()): number {
  const whole = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(whole * (1 - random / 2));
}
