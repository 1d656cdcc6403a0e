import { type Fault, SluiceError } from '../runtime/index.js';
import { CommitWatch } from './commit-watch.js';
import { DeadlineWatch } from './deadline.js';
import type { Delivery } from './delivery.js';
import { Gather } from './gather.js';
import { IdleFlush } from './idle-flush.js';
import type { FromSandbox, LogLine, StageSpec } from './messages.js';
import { pace } from './pace.js';
import type { SandboxPool } from './pool.js';
import { Recovery } from './recovery.js';
import { Ring } from './ring.js';
import { RING } from './ring-words.js';
import type { Sandbox } from './sandbox.js';

/** What a slot runs: one chain, one generation of it. */
export interface ChainSpec {
  readonly stages: readonly StageSpec[];
  /** For everything up to the first commit of a generation, milliseconds. */
  readonly startDeadlineMs: number;
  /** Most result bytes of a batch. */
  readonly output: number;
}

/** Told by a slot; set by the route. */
export interface SlotEvents {
  /** Slabs are committed: take them with `next`. */
  committed(): void;
  /** A call failed. `frames` = 1: that frame is refused with this code; more: the batch is run frame by frame. */
  fault(fault: Fault, plugin: string, frames: number): void;
  /** A fresh thread serves after a kill or a death. */
  restarted(fault: Fault, plugin: string): void;
  /** The chain could not be started again; it is tried again after `retryMs`. */
  failed(fault: Fault, retryMs: number): void;
  log(plugin: string, lines: readonly LogLine[], lost: number): void;
}

export type SlotState = 'stopped' | 'starting' | 'serving' | 'recovering' | 'failed';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;

/**
 * A stable place in a route: its ring stays, the generation behind it can be swapped. A reload starts the
 * candidate beside the serving one, lets that one drain what was published before, and hands the ring
 * over; frames go on being written all the while.
 */
export class Slot {
  readonly ring: Ring;
  readonly #pool: SandboxPool;
  readonly #events: SlotEvents;
  readonly #commits: CommitWatch;
  readonly #deadline: DeadlineWatch;
  #sandbox: Sandbox | undefined;
  #spec: ChainSpec | undefined;
  #state: SlotState = 'stopped';
  #generation = 0;
  #detached: (() => void) | undefined;
  #firstCall = true;
  /** Commits when the present thread began to serve. */
  #servedAt = 0;
  /** The call that was killed for its time, as the ring counts calls. */
  #lateCall: number | undefined;
  /** Counts restarts and swaps: a restart that another has overtaken is of no more use. */
  #attempt = 0;
  #retryMs = RETRY_MIN_MS;
  #retry: NodeJS.Timeout | undefined;
  readonly #idle = new IdleFlush(() => this.#flushIdle());
  readonly #recovery: Recovery;
  readonly #gather = new Gather(
    () => this.ring.waiting,
    () => this.ring.publish(),
  );
  #swaps: Promise<unknown> = Promise.resolve();

  constructor(pool: SandboxPool, events: SlotEvents) {
    this.#pool = pool;
    this.#events = events;
    this.ring = new Ring({
      published: () => this.#wake(),
      replaced: (index, buffer) => this.#sandbox?.send({ kind: 'slab', index, buffer }),
    });
    this.#recovery = new Recovery(this.ring);
    this.#commits = new CommitWatch(
      this.ring.control,
      () => this.ring.outstanding > 0,
      () => this.#committed(),
    );
    this.#deadline = new DeadlineWatch(
      this.ring.control,
      stage => this.#limitOf(stage),
      () => this.ring.outstanding > 0,
      (stage, ms, calls) => this.#late(stage, ms, calls),
    );
  }

  get state(): SlotState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get spec(): ChainSpec | undefined {
    return this.#spec;
  }

  /** The next committed slab, or undefined. */
  next(): Delivery | undefined {
    // The route may ask before an event tells of the commit, and of the larger slab that may go with it.
    if (!this.ring.ready) return undefined;
    this.#sandbox?.drain();
    const delivery = this.ring.next();
    if (delivery !== undefined) pace(this.ring, delivery, this.#shortest);
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
    const next = this.#swaps.then(() => this.#swap(spec));
    this.#swaps = next.catch(() => {});
    return next;
  }

  /** Drains what is published, flushes, and ends the thread. */
  async stop(patienceMs: number): Promise<void> {
    await this.#swaps;
    clearTimeout(this.#retry);
    this.#idle.stop();
    this.#gather.stop();
    const sandbox = this.#sandbox;
    if (sandbox !== undefined && this.#state === 'serving') await this.#drain(patienceMs);
    // The word that the thread has ended can be faster than the word of its last commits.
    this.#events.committed();
    this.#state = 'stopped';
    this.#sandbox = undefined;
    this.#deadline.stop();
    await sandbox?.close(patienceMs);
    this.#commits.wake();
  }

  async #swap(spec: ChainSpec): Promise<void> {
    const candidate = this.#pool.take();
    if (this.#state === 'stopped') this.#state = 'starting';
    try {
      await candidate.start(spec.stages, this.ring.buffers, spec.output, spec.startDeadlineMs);
    } catch (thrown) {
      void candidate.close(100);
      if (this.#state === 'starting') this.#state = 'stopped';
      throw thrown;
    }
    const old = this.#state === 'serving' ? this.#sandbox : undefined;
    if (old !== undefined) await this.#drain(Number.POSITIVE_INFINITY);
    clearTimeout(this.#retry);
    // The old one may have died while it drained: then its recovery ends here, with the new generation.
    const before = this.#sandbox;
    this.#sandbox = undefined;
    void before?.close(1000);
    this.#spec = spec;
    this.#generation++;
    this.#attempt++;
    this.#serve(candidate);
  }

  #serve(sandbox: Sandbox): void {
    const { control } = this.ring;
    Atomics.store(control, RING.detach, 0);
    Atomics.store(control, RING.stage, -1);
    Atomics.store(control, RING.starting, 0);
    this.#sandbox = sandbox;
    this.#state = 'serving';
    this.#firstCall = true;
    this.#servedAt = this.ring.committed;
    sandbox.listen(message => this.#message(message));
    void sandbox.ended.then(fault => this.#died(sandbox, fault));
    sandbox.send({ kind: 'serve', slabs: this.ring.buffers.slabs });
    this.#idle.start();
    this.#commits.arm();
    if (this.ring.outstanding > 0) this.#watch();
    this.turnEnded();
  }

  /** Lets the serving chain finish what is published so far and a flush behind it. */
  async #drain(patienceMs: number): Promise<void> {
    this.ring.flush(this.#spec?.stages.length ?? 1);
    const done = new Promise<void>(resolve => {
      this.#detached = resolve;
    });
    this.#limit();
    const timer = Number.isFinite(patienceMs) ? setTimeout(() => this.#detached?.(), patienceMs) : undefined;
    await done;
    clearTimeout(timer);
    this.#detached = undefined;
  }

  /** Sets the sequence at which the serving session ends, once the flush that ends it is published. */
  #limit(): void {
    if (this.ring.flushPending) return;
    Atomics.store(this.ring.control, RING.limit, this.ring.published);
    Atomics.store(this.ring.control, RING.detach, 1);
    this.#sandbox?.ring();
  }

  #wake(): void {
    this.#idle.worked();
    if (this.#detached !== undefined && Atomics.load(this.ring.control, RING.detach) === 0) this.#limit();
    this.#sandbox?.ring();
    if (this.#state !== 'serving') return;
    this.#watch();
    this.#commits.arm();
  }

  #watch(): void {
    this.#deadline.watch(this.#shortest);
  }

  #limitOf(stage: number): number {
    const spec = this.#spec as ChainSpec;
    const starting = this.#firstCall || Atomics.load(this.ring.control, RING.starting) === 1;
    return starting ? spec.startDeadlineMs : (spec.stages[stage]?.deadlineMs ?? spec.startDeadlineMs);
  }

  get #shortest(): number {
    return Math.min(...(this.#spec as ChainSpec).stages.map(stage => stage.deadlineMs));
  }

  #committed(): void {
    if (this.#state === 'stopped') return;
    this.#sandbox?.drain();
    // This may also be the wake after a death, and then nothing has come of the fresh thread yet.
    if (this.ring.committed !== this.#servedAt) {
      this.#firstCall = false;
      this.#retryMs = RETRY_MIN_MS;
    }
    this.#events.committed();
    this.turnEnded();
    if (this.ring.outstanding > 0 && this.#state === 'serving') this.#watch();
    this.#commits.arm();
  }

  #flushIdle(): boolean {
    const { ring } = this;
    if (this.#state !== 'serving' || ring.outstanding > 0 || ring.waiting > 0) return false;
    ring.flush(this.#spec?.stages.length ?? 1);
    return true;
  }

  #message(message: FromSandbox): void {
    switch (message.kind) {
      case 'slab':
        this.ring.adopt(message.index, message.buffer);
        return;
      case 'fault':
        if (message.frames > 1) this.ring.batchLimit = Math.max(1, Math.floor(message.frames / 2));
        this.#events.fault(message.fault, this.#nameOf(message.stage, message.fault), message.frames);
        return;
      case 'log':
        this.#events.log(message.plugin, message.lines, message.lost);
        return;
      case 'detached':
        this.#detached?.();
        return;
      case 'up':
      case 'ready':
      case 'failed':
        return;
      default:
        message satisfies never;
    }
  }

  #late(stage: number, elapsedMs: number, calls: number): void {
    this.#lateCall = calls;
    const plugin = this.#spec?.stages[stage]?.plugin ?? 'a plugin';
    const limit = this.#limitOf(stage);
    const message = `${plugin} was killed: a call took longer than ${limit} ms (looked at after ${Math.round(elapsedMs)} ms)`;
    this.#sandbox?.kill('SLUICE_GUEST_DEADLINE', message);
  }

  /** The serving thread is gone: what it had not committed is run again by a fresh one. */
  #died(sandbox: Sandbox, fault: Fault | undefined): void {
    if (sandbox !== this.#sandbox || fault === undefined || this.#state === 'stopped') return;
    this.#deadline.stop();
    this.#sandbox = undefined;
    this.#state = 'recovering';
    const stage = this.#diedIn(fault);
    const plugin = this.#nameOf(stage, fault);
    this.#events.restarted(fault, plugin);
    const frames = this.#recovery.blame(stage, fault);
    if (frames > 0) this.#events.fault(fault, plugin, frames);
    this.#events.committed();
    this.#commits.wake();
    if (this.#detached !== undefined) {
      this.#detached();
      return;
    }
    void this.#restart();
  }

  /**
   * Stage of the call that the thread died in, -1 for none. A kill takes milliseconds: the call that was
   * meant may have ended in them, and what has begun behind it is not to blame.
   */
  #diedIn(fault: Fault): number {
    const { control } = this.ring;
    const meant =
      fault.code !== 'SLUICE_GUEST_DEADLINE' || Atomics.load(control, RING.calls) === this.#lateCall;
    this.#lateCall = undefined;
    return meant ? Atomics.load(control, RING.stage) : -1;
  }

  async #restart(): Promise<void> {
    const spec = this.#spec as ChainSpec;
    const attempt = ++this.#attempt;
    let sandbox: Sandbox | undefined;
    try {
      sandbox = this.#pool.take();
      await sandbox.start(spec.stages, this.ring.buffers, spec.output, spec.startDeadlineMs);
    } catch (thrown) {
      void sandbox?.close(100);
      if (this.#state !== 'recovering' || attempt !== this.#attempt) return;
      const fault =
        thrown instanceof SluiceError
          ? thrown.toFault()
          : { code: 'SLUICE_INTERNAL' as const, message: String(thrown) };
      this.#state = 'failed';
      this.#events.failed(fault, this.#retryMs);
      this.#retry = setTimeout(() => {
        this.#state = 'recovering';
        void this.#restart();
      }, this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
      return;
    }
    // Somebody swapped or stopped meanwhile.
    if (this.#state !== 'recovering' || attempt !== this.#attempt) void sandbox.close(100);
    else this.#serve(sandbox);
  }

  #nameOf(stage: number, fault: Fault): string {
    return fault.plugin ?? this.#spec?.stages[Math.max(stage, 0)]?.plugin ?? 'unknown';
  }
}
