const UNITS_A_MS = 16;
/** Looks at both clocks. */
const LOOKS = 5;
const ORIGIN_MS = origin();

/** That clock as a word of shared memory: it wraps after three days, so only differences say something. */
export function stamp(): number {
  return Math.ceil((performance.now() + ORIGIN_MS) * UNITS_A_MS) | 0;
}

/** Milliseconds since a stamp of any thread: up to a day and a half, and never more than there were. */
export function since(stamped: number): number {
  return ((Math.floor((performance.now() + ORIGIN_MS) * UNITS_A_MS) - stamped) | 0) / UNITS_A_MS;
}

/**
 * What `performance.now()` of this thread is behind the monotonic clock that all threads share. A thread that loses its
 * core between the two looks would be wrong by that for as long as it lives: the closest pair counts.
 */
function origin(): number {
  let closest = Number.POSITIVE_INFINITY;
  let found = 0;
  for (let look = 0; look < LOOKS; look++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint() / 1000n) / 1000;
    const apart = performance.now() - before;
    if (apart >= closest) continue;
    closest = apart;
    found = shared - before;
  }
  return found;
}
