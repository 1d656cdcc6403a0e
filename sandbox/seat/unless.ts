/** Resolves with `done`, or without it as soon as the signal aborts. */
export async function unless(signal: AbortSignal | undefined, done: Promise<unknown>): Promise<void> {
  if (signal === undefined) {
    await done;
    return;
  }
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = (): void => resolve();
  signal.addEventListener('abort', over, { once: true });
  try {
    await Promise.race([done, promise]);
  } finally {
    signal.removeEventListener('abort', over);
  }
}
