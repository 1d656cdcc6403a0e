import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Bytes of the young generation (two halves, of which one is in use) from which on it grows no more. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Keeps the young generation of V8's heap as small as it begins (1 MiB and its other half), for all threads. Left alone it has grown
 * to 64 MiB by the time that a gateway has started, and holds what is left of the start: the first collections under
 * traffic were seen to stop everything for 30 to 100 ms, most of which went into fresh pages. V8's own setting for this works on
 * the command line only, and whoever starts a program need not know it.
 */
export function holdYoungSpace(): void {
  growBy(1);
}

/**
 * From now on the young generation of this thread may grow to 8 MiB. To be called once the start is over: while modules
 * are loaded and a gateway is put together no observer is told anything.
 */
export function letYoungSpaceGrow(): void {
  const look = (): void => {
    const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space');
    growBy((young?.space_size ?? MOST_BYTES) >= MOST_BYTES ? 1 : 2);
  };
  // For as long as the process runs: behind a quiet time V8 makes it small again.
  new PerformanceObserver(look).observe({ entryTypes: ['gc'] });
  look();
}

function growBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
