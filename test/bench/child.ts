import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The next thing that a child says. @throws Error the process ended instead */
export async function answer<T>(child: ChildProcess): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const ended = (): void => reject(new Error('a process of the benchmark ended'));
  const told = (message: unknown): void => resolve(message as T);
  child.once('exit', ended);
  child.once('message', told);
  try {
    return await promise;
  } finally {
    child.off('exit', ended);
    child.off('message', told);
  }
}

/** Lets a child go that ends when nobody listens any more. */
export async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}
