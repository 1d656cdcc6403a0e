import { Piscina } from 'piscina';
import { type Lifetimes, SluiceError } from '../../runtime/index.js';
import type { ChainSpec } from '../generation/generation.js';
import type { Rehearsal } from '../messages.js';
import type { Ring } from '../ring/ring.js';
import { setV8Flags } from '../v8-flags.js';
import { Candidate } from './candidate.js';
import { Sandbox } from './sandbox.js';

export interface PoolOptions {
  /** Most threads, warm spares included. */
  readonly threads: number;
  /** Threads that wait for a session, so that a reload or a restart does not wait for a thread. */
  readonly spares?: number;
  /** That a thread runs, one after the other, before a fresh one takes its place. */
  readonly sessions?: number;
  /** Watches over sandboxes that were started and that nobody has taken to a seat. */
  readonly lifetimes?: Lifetimes;
}

/**
 * Heap ceilings of a sandbox's thread: it holds a chain's glue, never data. Only a component's results are objects here, those
 * of one batch. Measured with the largest batch, 2,048 frames, of small messages with a property each: 32,768 messages fit
 * (49,152 do not; 24 MiB take 16,384), and they take some 20 times what a batch may with the deadline that plugins have by
 * default. The collector is what a guest that fills its heap costs the others: until it is full it takes half of the
 * processor time that it took with 64. (Memories of instances count towards half of it: see `worker/discards.ts`.)
 */
const RESOURCES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/**
 * What a session may leave behind in its thread stays small. Of a thousand nothing was found to stay: the heap is as
 * large as after 250 of them. A fresh thread costs as much processor time as five swaps, and its first version is slow.
 */
const MOST_SESSIONS = 1000;

/**
 * A thread that comes up takes a core for tens of milliseconds, so the next spare waits. Behind a swap the thread of the
 * version before is about to be given back. Behind a death what took the last spare runs the frames that were killed again:
 * a guest that hangs at each call would have two cores busy, and a row of deaths needs no spare beside its own starts.
 */
const FILL_AFTER_SWAP_MS = 100;
const FILL_AFTER_DEATH_MS = 300;

/**
 * The threads of all sandboxes. A spare is a running task that waits for its session: a fresh thread, or one whose session
 * has drained.
 */
export class SandboxPool {
  readonly #piscina: Piscina;
  readonly #threads: number;
  readonly #wanted: number;
  readonly #sessions: number;
  readonly #lifetimes: Lifetimes | undefined;
  readonly #spares: Sandbox[] = [];
  readonly #all = new Set<Sandbox>();
  #closed = false;
  /** That are being started for a swap. */
  #candidates = 0;
  /** When the next spare is started. */
  #next: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    setV8Flags();
    this.#threads = options.threads;
    this.#wanted = options.spares ?? 1;
    this.#sessions = options.sessions ?? MOST_SESSIONS;
    this.#lifetimes = options.lifetimes;
    this.#piscina = new Piscina({
      filename: new URL('../worker/worker.bundle.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: options.threads,
      // A task is a sandbox's life: it never shares a thread, and a finished thread is not kept.
      concurrentTasksPerWorker: 1,
      idleTimeout: 0,
      resourceLimits: RESOURCES,
      recordTiming: false,
      trackUnmanagedFds: false,
    });
    // A thread that is being killed can run out of heap before it ends. Its task is over and its sandbox told, so Piscina has
    // nobody to tell but whoever listens here; without a listener Node ends the process.
    this.#piscina.on('error', () => {});
    this.#fill();
  }

  /** Sandboxes that are up, spares included. */
  get size(): number {
    return this.#all.size;
  }

  /** Most sandboxes. */
  get limit(): number {
    return this.#threads;
  }

  /** Sandboxes that have been taken. */
  get busy(): number {
    return this.#all.size - this.#spares.length;
  }

  /** A sandbox without a session: the warm spare if there is one. @throws SluiceError SLUICE_SANDBOX_LIMIT */
  take(): Sandbox {
    return this.#spares.shift() ?? this.#spawn();
  }

  /** A sandbox in which this chain is ready to serve that ring. @throws SluiceError that names the step */
  async start(
    { stages, output, startDeadlineMs, forbids }: ChainSpec,
    ring: Ring,
    rehearsal?: Rehearsal,
  ): Promise<Candidate> {
    const behindSwap = rehearsal !== undefined;
    const sandbox = this.take();
    if (behindSwap) this.#candidates++;
    try {
      await sandbox.start(stages, ring.buffers, output, startDeadlineMs, rehearsal);
      const forbidden = forbids?.(sandbox.facts);
      if (forbidden !== undefined) throw forbidden;
    } catch (thrown) {
      void sandbox.close(100);
      throw thrown;
    } finally {
      if (behindSwap) this.#candidates--;
      this.#fillSoon(behindSwap ? FILL_AFTER_SWAP_MS : FILL_AFTER_DEATH_MS);
    }
    return new Candidate(sandbox, stages.map(({ plugin }) => plugin).join(', '), this.#lifetimes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A sandbox whose session is over: its thread is the next spare where one is wanted and it is fit for that, or ends. */
  giveBack(sandbox: Sandbox): void {
    const isFit = sandbox.isFit && sandbox.sessions < this.#sessions;
    if (this.#closed || !isFit || this.#spares.length >= this.#wanted) {
      void sandbox.close(1000);
      return;
    }
    sandbox.listen(() => {});
    this.#spares.push(sandbox);
  }

  /** Ends all threads: politely, then by force. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map(sandbox => sandbox.close(1000)));
    await this.#piscina.destroy();
  }

  #fillSoon(ms: number): void {
    clearTimeout(this.#next);
    const fill = (): void => {
      this.#next = undefined;
      // It would come up in the midst of this swap, and be one too many behind it.
      if (this.#candidates === 0) this.#fill();
    };
    this.#next = setTimeout(fill, ms).unref();
  }

  #fill(): void {
    while (!this.#closed && this.#spares.length < this.#wanted && this.#all.size < this.#threads) {
      this.#spares.push(this.#spawn());
    }
  }

  #spawn(): Sandbox {
    if (this.#all.size >= this.#threads) {
      throw new SluiceError('SLUICE_SANDBOX_LIMIT', `all ${this.#threads} sandbox threads are in use`);
    }
    const sandbox = new Sandbox((task, signal) =>
      this.#piscina.run(task, { signal, transferList: [task.port] }),
    );
    this.#all.add(sandbox);
    void sandbox.ended.then(() => {
      this.#all.delete(sandbox);
      const spare = this.#spares.indexOf(sandbox);
      if (spare >= 0) this.#spares.splice(spare, 1);
      // There may have been no room for a spare while this one drained. One that never came up is not tried for ever.
      if (!this.#closed && sandbox.sessions > 0 && this.#next === undefined)
        this.#fillSoon(FILL_AFTER_DEATH_MS);
    });
    return sandbox;
  }
}
