import { receiveMessageOnPort } from 'node:worker_threads';
import { faultOf } from '../runtime/index.js';
import type { SandboxTask, ToSandbox } from './messages.js';
import { Session } from './worker/session.js';

/** How long an idle thread sleeps before it gives finalizers and its console one macrotask. */
const NAP_MS = 10_000;

/**
 * The task of a sandbox: one thread, one session at a time, until it is told to close. The thread sleeps
 * in Atomics.wait, which no event wakes; so messages are fetched by hand after each ring of the bell.
 */
export default async function sandbox({ port, bell }: SandboxTask): Promise<void> {
  const word = new Int32Array(bell);
  let session: Session | undefined;
  port.postMessage({ kind: 'up' });
  for (;;) {
    const seen = Atomics.load(word, 0);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const message = next.message as ToSandbox;
      switch (message.kind) {
        case 'start':
          try {
            session = await Session.start(message, port);
            port.postMessage({ kind: 'ready' });
          } catch (thrown) {
            port.postMessage({ kind: 'failed', fault: faultOf(thrown) });
          }
          break;
        case 'serve':
          session?.serve(message.slabs);
          break;
        case 'slab':
          session?.replace(message.index, message.buffer);
          break;
        case 'close':
          port.close();
          return;
        default:
          message satisfies never;
      }
    }
    if (session?.work() === 'detached') {
      session = undefined;
      port.postMessage({ kind: 'detached' });
    }
    if (Atomics.wait(word, 0, seen, NAP_MS) === 'timed-out')
      await new Promise(resolve => setImmediate(resolve));
  }
}
