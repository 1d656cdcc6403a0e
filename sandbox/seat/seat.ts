import { type Fault, HEADER } from '../../runtime/index.js';
import type { Generation } from '../generation/generation.js';
import type { FromSandbox, Keeping } from '../messages.js';
import type { Sandbox } from '../pool/sandbox.js';
import type { Ring } from '../ring/ring.js';
import { CALL, MODE, type Mode, RING } from '../ring/ring-words.js';
import { CommitWatch } from './commit-watch.js';
import { DeadlineWatch } from './deadline.js';
import { IdleFlush } from './idle-flush.js';
import { unless } from './unless.js';

/** What is heard from a thread about its work. */
export type Told = Extract<FromSandbox, { kind: 'fault' | 'log' | 'state' | 'restored' | 'unsaved' }>;

export interface SeatEvents {
  /** Slabs are committed, or something else is to be looked at. */
  committed(): void;
  told(message: Told): void;
  /**
   * The thread is gone, unasked.
   * @param stage of the call that it died in, -1 for none
   * @param purpose of that call, one of CALL
   */
  died(fault: Fault, stage: number, purpose: number): void;
}

/**
 * The one place at a ring from which it is served: holds the sandbox that sits there, wakes it, watches its calls and
 * its commits, and lets it finish or ends it.
 */
export class Seat {
  readonly #ring: Ring;
  readonly #events: SeatEvents;
  readonly #commits: CommitWatch;
  readonly #deadline: DeadlineWatch;
  readonly #idle = new IdleFlush(() => this.#flushIdle());
  #sandbox: Sandbox | undefined;
  /** It sits here no more, but may still be about to say something. */
  #leaving: Sandbox | undefined;
  #generation: Generation | undefined;
  #detached: (() => void) | undefined;
  #firstCall = true;
  /** Commits when the present sandbox sat down, and the first slab that is its. */
  #commitsBefore = 0;
  #firstSlab = 0;
  /** The call that was killed for its time, as the ring counts calls. */
  #lateCall: number | undefined;

  constructor(ring: Ring, events: SeatEvents) {
    this.#ring = ring;
    this.#events = events;
    this.#commits = new CommitWatch(
      ring.control,
      () => ring.outstanding > 0,
      () => this.#committed(),
    );
    this.#deadline = new DeadlineWatch(
      ring.control,
      stage => this.#deadlineOf(stage),
      () => ring.outstanding > 0 || this.isDraining,
      (stage, ms, calls) => this.#late(stage, ms, calls),
    );
  }

  get isTaken(): boolean {
    return this.#sandbox !== undefined;
  }

  /** Whose chain sits here, or did last. */
  get generation(): Generation | undefined {
    return this.#generation;
  }

  get isDraining(): boolean {
    return this.#detached !== undefined;
  }

  /** The ring is served by this sandbox from here on. */
  take(sandbox: Sandbox, generation: Generation, mode: Mode, keeping: Keeping): void {
    const { control } = this.#ring;
    Atomics.store(control, RING.detach, 0);
    Atomics.store(control, RING.stage, -1);
    Atomics.store(control, RING.purpose, CALL.run);
    Atomics.store(control, RING.keeps, 0);
    this.#sandbox = sandbox;
    this.#generation = generation;
    this.mode = mode;
    this.#firstCall = true;
    this.#commitsBefore = Atomics.load(control, RING.commits);
    this.#firstSlab = this.#ring.committed;
    sandbox.listen(message => this.#message(sandbox, message));
    void sandbox.ended.then(fault => this.#ended(sandbox, fault));
    sandbox.send({ kind: 'serve', slabs: this.#ring.buffers.slabs, keeping });
    this.#idle.start();
    this.#commits.arm();
    if (this.#ring.outstanding > 0) this.#watch();
  }

  /** How what is published is run from now on. */
  set mode(mode: Mode) {
    Atomics.store(this.#ring.control, RING.mode, mode);
  }

  /** Handles what a thread has posted and no event has brought yet. */
  drainPorts(): void {
    this.#sandbox?.drain();
    this.#leaving?.drain();
  }

  /** Something is published. */
  wake(): void {
    this.#idle.worked();
    if (this.#detached !== undefined && Atomics.load(this.#ring.control, RING.detach) === 0) this.#limit();
    if (this.#sandbox === undefined) return;
    this.#sandbox.ring();
    this.#watch();
    this.#commits.arm();
  }

  replaced(index: number, buffer: SharedArrayBuffer): void {
    this.#sandbox?.send({ kind: 'slab', index, buffer });
  }

  /**
   * Lets the chain finish what is published so far and a flush behind it. Returns when it has, or has died, or when
   * nobody waits for it any more.
   * @param keeps bit k: stage k keeps what it has, as another goes on with its state
   */
  async drain(signal: AbortSignal | undefined, keeps = 0): Promise<void> {
    if (this.#sandbox === undefined || signal?.aborted === true) return;
    Atomics.store(this.#ring.control, RING.keeps, keeps);
    this.#ring.flush(this.#generation?.spec.stages.length ?? 1);
    const done = new Promise<void>(resolve => {
      this.#detached = resolve;
    });
    this.#limit();
    this.#watch();
    await unless(signal, done);
    this.#detached = undefined;
  }

  /** Nobody sits here from now on: the sandbox that did, to be closed. */
  leave(): Sandbox | undefined {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    this.#deadline.stop();
    return sandbox;
  }

  /**
   * No further batch begins, and one that is under way is ended. Resolves when the thread is gone: what it has not
   * committed by then is as it was published.
   * @param patienceMs for the batch that is under way
   */
  async halt(patienceMs = 0): Promise<void> {
    this.mode = MODE.halt;
    const sandbox = this.leave();
    this.#detached?.();
    if (sandbox === undefined) return;
    this.#leaving = sandbox;
    await sandbox.close(patienceMs);
    if (this.#leaving === sandbox) this.#leaving = undefined;
  }

  /** Ends all watching. */
  stop(): void {
    this.#idle.stop();
    this.#deadline.stop();
    this.#commits.wake();
  }

  /** Sets the sequence at which the session ends, once the flush that ends it is published. */
  #limit(): void {
    if (this.#ring.flushPending) return;
    Atomics.store(this.#ring.control, RING.limit, this.#ring.published);
    Atomics.store(this.#ring.control, RING.detach, 1);
    this.#sandbox?.ring();
  }

  #watch(): void {
    this.#deadline.watch(this.#generation?.shortest ?? Number.POSITIVE_INFINITY);
  }

  #deadlineOf(stage: number): number {
    const generation = this.#generation;
    if (generation === undefined) return Number.POSITIVE_INFINITY;
    const purpose = Atomics.load(this.#ring.control, RING.purpose);
    if (purpose === CALL.start || purpose === CALL.import) return generation.spec.startDeadlineMs;
    return this.#firstCall ? generation.firstDeadlineOf(stage) : generation.deadlineOf(stage);
  }

  #committed(): void {
    this.drainPorts();
    // This may also be the wake after a death, and then nothing has come of the fresh thread yet.
    if (this.#firstCall && Atomics.load(this.#ring.control, RING.commits) !== this.#commitsBefore) {
      this.#firstCall = false;
      const micros = this.#ring.control[this.#ring.headerOf(this.#firstSlab) + HEADER.micros] as number;
      if (micros >= 0) this.#generation?.startedIn(micros / 1000);
    }
    this.#events.committed();
    if (this.#sandbox === undefined) return;
    if (this.#ring.outstanding > 0) this.#watch();
    this.#commits.arm();
  }

  #flushIdle(): boolean {
    const ring = this.#ring;
    if (this.#sandbox === undefined || ring.outstanding > 0 || ring.waiting > 0) return false;
    ring.flush(this.#generation?.spec.stages.length ?? 1);
    return true;
  }

  #message(sandbox: Sandbox, message: FromSandbox): void {
    switch (message.kind) {
      case 'slab':
        this.#ring.adopt(message.index, message.buffer);
        return;
      case 'fault':
        // What has left the seat gives nothing up any more.
        if (message.gaveUp && sandbox !== this.#sandbox) return;
        this.#events.told(message);
        return;
      case 'log':
      case 'state':
      case 'restored':
      case 'unsaved':
        this.#events.told(message);
        return;
      case 'detached':
        this.#detached?.();
        return;
      case 'up':
      case 'step':
      case 'ready':
      case 'failed':
        return;
      default:
        message satisfies never;
    }
  }

  #late(stage: number, elapsedMs: number, calls: number): void {
    this.#lateCall = calls;
    const plugin = this.#generation?.nameOf(stage) ?? 'a plugin';
    const limit = this.#deadlineOf(stage);
    const message = `${plugin} was killed: a call took longer than ${Math.round(limit)} ms (looked at after ${Math.round(elapsedMs)} ms)`;
    if (this.#firstCall) this.#generation?.killedAtStart();
    this.#sandbox?.kill('SLUICE_GUEST_DEADLINE', message);
  }

  #ended(sandbox: Sandbox, fault: Fault | undefined): void {
    if (sandbox !== this.#sandbox) return;
    this.leave();
    // All threads are closed: nobody waits for this one, and nothing is watched.
    if (fault === undefined) {
      this.#detached?.();
      return;
    }
    const stage = this.#diedIn(fault);
    const purpose = stage < 0 ? CALL.run : Atomics.load(this.#ring.control, RING.purpose);
    this.#events.died(fault, stage, purpose);
    this.#commits.wake();
    this.#detached?.();
  }

  /**
   * Stage of the call that the thread died in, -1 for none. A kill takes milliseconds: the call that was
   * meant may have ended in them, and what has begun behind it is not to blame.
   */
  #diedIn(fault: Fault): number {
    const { control } = this.#ring;
    const meant =
      fault.code !== 'SLUICE_GUEST_DEADLINE' || Atomics.load(control, RING.calls) === this.#lateCall;
    this.#lateCall = undefined;
    return meant ? Atomics.load(control, RING.stage) : -1;
  }
}
