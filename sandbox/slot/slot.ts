import { LIMITS } from '../../runtime/index.js';
import type { ChainSpec, Generation } from '../generation/generation.js';
import type { SandboxPool } from '../pool/pool.js';
import type { Delivery } from '../ring/delivery.js';
import { Ring } from '../ring/ring.js';
import { RING } from '../ring/ring-words.js';
import type { SlotEvents, SlotState } from '../succession/slot-events.js';
import type { KeptState } from '../succession/state-keeper.js';
import { Succession } from '../succession/succession.js';
import { Gather } from './gather.js';
import { pace } from './pace.js';

/**
 * A stable place in a route: its ring stays, the generation behind it can be swapped. A reload starts the
 * candidate beside the serving one, lets that one drain what was published before, and hands the ring
 * over; frames go on being written all the while.
 */
export class Slot {
  readonly ring: Ring;
  readonly #succession: Succession;
  readonly #gather: Gather;

  constructor(pool: SandboxPool, events: SlotEvents) {
    this.ring = new Ring({
      published: () => this.#succession.published(),
      replaced: (index, buffer) => this.#succession.replaced(index, buffer),
    });
    this.#gather = new Gather(
      () => this.ring.waiting,
      () => this.ring.frames,
      () => this.ring.publish(),
    );
    this.#succession = new Succession(pool, this.ring, {
      ...events,
      committed: () => {
        events.committed();
        this.turnEnded();
      },
      changed: change => {
        events.changed?.(change);
        if (change.kind === 'serving') this.turnEnded();
      },
    });
  }

  get state(): SlotState {
    return this.#succession.state;
  }

  /** Number of the generation that serves, or did last; 0: none ever has. */
  get generation(): number {
    return this.#succession.serving?.number ?? 0;
  }

  get spec(): ChainSpec | undefined {
    return this.#succession.serving?.spec;
  }

  /** Bytes of memory that the guests held behind the last batch; of components that is not known. */
  get memoryBytes(): number {
    return (this.ring.control[RING.memory] as number) * LIMITS.page;
  }

  /** The newest generation, which serves unless its breaker is open. */
  get current(): Generation | undefined {
    return this.#succession.current;
  }

  /** The generations that serve or may come to. */
  get generations(): readonly Generation[] {
    return this.#succession.generations;
  }

  /**
   * This generation may not run any more: its thread is ended at once, and nobody falls back to it. The one before
   * serves on, if there is one; else what was not committed waits for the next swap, with all that comes in.
   */
  async forbid(generation: Generation): Promise<void> {
    const ended = this.#succession.forbid(generation);
    if (this.state === 'stopped') this.#gather.stop();
    await ended;
  }

  /** The generation that serves, if it is this one, goes on in a fresh thread, under the rules that it has now. */
  renew(generation: Generation): Promise<void> {
    return this.#succession.renew(generation);
  }

  /** Nobody is going to serve for now: frames go where those of an open breaker go, until somebody does. */
  leaveUnserved(): void {
    this.#succession.leaveUnserved();
  }

  /** What is published comes back as refused, unseen by any plugin. */
  get givesBack(): boolean {
    return this.#succession.givesBack;
  }

  /** What the first chain goes on from, if its plugins have a state. */
  remember(states: readonly KeptState[]): void {
    this.#succession.remember(states);
  }

  /** The next committed slab, or undefined. */
  next(): Delivery | undefined {
    // The route may ask before an event tells of the commit, and of the larger slab that may go with it.
    if (!this.ring.ready) return undefined;
    this.#succession.drainPorts();
    const delivery = this.ring.next();
    const generation = this.#succession.serving;
    const unseen = this.state === 'stopped' || this.state === 'starting';
    if (delivery === undefined || generation === undefined || (unseen && this.givesBack)) return delivery;
    pace(this.ring, delivery, generation.shortest);
    this.#succession.look(delivery);
    return delivery;
  }

  ack(): void {
    this.ring.ack();
  }

  /** What was written in this turn may go: now if the sandbox is idle, else as the next batch. */
  turnEnded(): void {
    const { waiting, outstanding } = this.ring;
    if (waiting > 0 && outstanding === 0) this.#gather.offer(waiting);
  }

  /**
   * Starts a chain, or swaps the serving one for it, one swap after the other. On an error the serving
   * one stays.
   * @throws SluiceError that names the step at which the candidate failed
   */
  swap(spec: ChainSpec): Promise<void> {
    return this.#succession.swap(spec);
  }

  /**
   * Drains what is published, flushes, and ends the thread. When the signal aborts, the thread ends at the border of the
   * batch that it is at, or by force if it does not get there; the rest stays as it was published.
   */
  async stop(signal: AbortSignal): Promise<void> {
    this.#gather.stop();
    await this.#succession.stop(signal);
  }
}
