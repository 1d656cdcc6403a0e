import { receiveMessageOnPort } from 'node:worker_threads';
import { faultOf } from '../../runtime/index.js';
import type { FromSandbox, SandboxTask, ToSandbox } from '../messages.js';
import { BELL } from '../ring/ring-words.js';
import { SPIN_US, SpinGate } from '../ring/spin-gate.js';
import { Session } from './session.js';

/** How long an idle thread sleeps before it gives finalizers and its console one macrotask. */
const NAP_MS = 10_000;
/** After so long without work a thread cleans up: behind what it has just given out more is to come. */
const QUIET_MS = 2;

/**
 * The task of a sandbox: one thread, one session at a time, until it is told to close. The thread sleeps
 * in Atomics.wait, which no event wakes; so messages are fetched by hand after each ring of the bell.
 */
export default async function sandbox({ port, bell }: SandboxTask): Promise<void> {
  const word = new Int32Array(bell);
  let session: Session | undefined;
  let fetched = 0;
  const gate = new SpinGate();
  const post = (message: FromSandbox): void => {
    port.postMessage(message);
    Atomics.add(word, BELL.answered, 1);
  };
  post({ kind: 'up' });
  for (;;) {
    const seen = Atomics.load(word, BELL.rung);
    const sent = Atomics.load(word, BELL.sent);
    for (; fetched !== sent; fetched = (fetched + 1) | 0) {
      const next = receiveMessageOnPort(port);
      if (next === undefined) break;
      const message = next.message as ToSandbox;
      switch (message.kind) {
        case 'start':
          try {
            session = await Session.start(message, post, at => Atomics.store(word, BELL.rehearsed, at));
            post({ kind: 'ready', facts: session.facts, stateful: session.stateful });
          } catch (thrown) {
            post({ kind: 'failed', fault: faultOf(thrown) });
          }
          break;
        case 'serve':
          session?.serve(message.slabs, message.keeping);
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
      post({ kind: 'detached' });
    }
    if (rungSoon(word, seen, gate)) continue;
    session?.rest(false);
    const isUntidy = session?.isUntidy === true;
    if (Atomics.wait(word, BELL.rung, seen, isUntidy ? QUIET_MS : NAP_MS) !== 'timed-out') continue;
    if (isUntidy) session?.rest(true);
    else await new Promise(resolve => setImmediate(resolve));
  }
}

/** Looks at the bell for a moment, as long as that pays. True if it was rung. */
function rungSoon(word: Int32Array, seen: number, gate: SpinGate): boolean {
  if (!gate.isOpen) return false;
  const until = performance.now() + SPIN_US / 1000;
  do {
    for (let look = 0; look < 100; look++) {
      if (Atomics.load(word, BELL.rung) === seen) continue;
      gate.paid();
      return true;
    }
  } while (performance.now() < until);
  gate.wasted();
  return false;
}
