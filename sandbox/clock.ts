/** What `performance.now()` of this thread is behind the monotonic clock that all threads share. */
const ORIGIN_MS = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
const UNITS_A_MS = 16;

/** That clock as a word of shared memory: it wraps after three days, so only differences say something. */
export function stamp(): number {
  return Math.ceil((performance.now() + ORIGIN_MS) * UNITS_A_MS) | 0;
}

/** Milliseconds since a stamp of any thread: up to a day and a half, and never more than there were. */
export function since(stamped: number): number {
  return ((Math.floor((performance.now() + ORIGIN_MS) * UNITS_A_MS) - stamped) | 0) / UNITS_A_MS;
}
