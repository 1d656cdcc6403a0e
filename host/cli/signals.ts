const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Resolves with the first SIGTERM or SIGINT, or with undefined after a while. From then on a signal does
 * what it does by default: it ends the process at once.
 */
export function untilSignal(forMs?: number): Promise<(typeof SIGNALS)[number] | undefined> {
  return new Promise(resolve => {
    const timer = forMs === undefined ? undefined : setTimeout(() => done(undefined), forMs);
    const done = (signal: (typeof SIGNALS)[number] | undefined): void => {
      clearTimeout(timer);
      for (const name of SIGNALS) process.off(name, done);
      resolve(signal);
    };
    for (const name of SIGNALS) process.on(name, done);
  });
}
