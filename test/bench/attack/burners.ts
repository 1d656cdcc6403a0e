import { type ChildProcess, fork } from 'node:child_process';
import { answer, gone } from '../child.js';

/** Runs beside processes that take `processors` together, each in one piece of every `periodMs`. */
export async function besideBurners<T>(
  processors: number,
  periodMs: number,
  run: () => Promise<T>,
): Promise<T> {
  const burners: ChildProcess[] = [];
  for (let left = processors; left > 0.005; left--) {
    const share = String(Math.min(left, 1));
    burners.push(fork(new URL('./burner.js', import.meta.url), [share, String(periodMs)], { execArgv: [] }));
  }
  try {
    await Promise.all(burners.map(burner => answer<string>(burner)));
    return await run();
  } finally {
    await Promise.all(burners.map(gone));
  }
}
