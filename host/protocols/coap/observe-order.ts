const HALF = 2 ** 23;
const LONG_MS = 128_000;

/**
 * Whether a notification is newer than the newest so far: UDP may turn their order round.
 * Source: RFC 7641, 3.4.
 * @param number of 24 bits, @param at when it came, milliseconds
 */
export function isNewer(number: number, at: number, newest: number, newestAt: number): boolean {
  return (
    (newest < number && number - newest < HALF) ||
    (newest > number && newest - number > HALF) ||
    at > newestAt + LONG_MS
  );
}
