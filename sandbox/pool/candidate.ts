import type { Lifetimes } from '../../runtime/index.js';
import type { ChainFacts } from '../messages.js';
import type { Sandbox } from './sandbox.js';

/** Time that a thread gets to end by itself. */
const POLITE_MS = 100;

/** A sandbox in which a chain is ready, until somebody takes it to a seat. One that nobody takes is ended. */
export class Candidate {
  readonly facts: ChainFacts;
  readonly stateful: readonly boolean[];
  readonly #lifetimes: Lifetimes | undefined;
  #sandbox: Sandbox | undefined;

  constructor(sandbox: Sandbox, name: string, lifetimes: Lifetimes | undefined) {
    this.#sandbox = sandbox;
    this.#lifetimes = lifetimes;
    this.facts = sandbox.facts;
    this.stateful = sandbox.stateful;
    lifetimes?.watch(this, 'sandbox', name, () => void sandbox.close(POLITE_MS));
  }

  /** Whoever takes it closes it from here on. Undefined: it is closed already. */
  take(): Sandbox | undefined {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    this.#lifetimes?.closed(this);
    return sandbox;
  }

  [Symbol.dispose](): void {
    void this.take()?.close(POLITE_MS);
  }
}
