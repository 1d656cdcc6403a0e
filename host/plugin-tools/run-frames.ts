import {
  type FrameCopy,
  Interned,
  type Outcome,
  readOutcome,
  SluiceError,
  Stamp,
} from '../../runtime/index.js';
import { type ChainSpec, type Delivery, type SandboxPool, Slot } from '../../sandbox/index.js';

export interface TrialResult {
  /** One for each frame, in their order. */
  readonly outcomes: readonly Outcome[];
  /** What the chain held back and gave out when it was asked. */
  readonly flushed: readonly Outcome[];
  /** Log lines of the plugin, and what the sandbox had to say: kills, instances thrown away. */
  readonly notes: readonly string[];
}

const STOP_MS = 2000;

/**
 * Runs frames through a chain in a sandbox of its own: ring, thread, deadline, retry frame by frame, all as in the
 * gateway. Frames that do not fit the ring at once go through another fresh sandbox.
 * @throws SluiceError when the chain does not start, as the gateway would refuse it
 */
export async function runFrames(
  pool: SandboxPool,
  chain: ChainSpec,
  frames: readonly FrameCopy[],
): Promise<TrialResult> {
  const outcomes: Outcome[] = [];
  const flushed: Outcome[] = [];
  const notes: string[] = [];
  do {
    const trial = new Trial(pool, notes);
    const taken = trial.fill(frames.slice(outcomes.length), chain.stages.length);
    const done = await trial.run(chain, taken);
    outcomes.push(...done.outcomes);
    flushed.push(...done.flushed);
  } while (outcomes.length < frames.length);
  return { outcomes, flushed, notes };
}

class Trial {
  readonly #slot: Slot;
  readonly #outcomes: Outcome[] = [];
  readonly #flushed: Outcome[] = [];
  #expected = 0;
  #settled: { resolve: () => void; reject: (error: SluiceError) => void } | undefined;

  constructor(pool: SandboxPool, notes: string[]) {
    this.#slot = new Slot(pool, {
      committed: () => this.#take(),
      fault: (fault, plugin, frames) => {
        if (frames > 1)
          notes.push(`${plugin}: ${fault.message} (${fault.code}); its frames are run again one by one`);
      },
      restarted: () => {},
      failed: fault => this.#settled?.reject(SluiceError.fromFault(fault)),
      log: (_plugin, lines) => notes.push(...lines.map(({ text }) => text)),
    });
  }

  /** Publishes as many frames as the ring takes while nobody serves it. Gives their number. */
  fill(frames: readonly FrameCopy[], stages: number): number {
    const { ring } = this.#slot;
    // A flush goes first: what comes before the first commit has the deadline of a start, frames have their own.
    ring.flush(stages);
    let taken = 0;
    for (const { source, topic, timestamp, payload, properties } of frames) {
      const list = properties.length === 0 ? undefined : Interned.properties(properties);
      const texts = [Interned.text(source), Interned.text(topic)] as const;
      const time = Stamp.ofNanos(timestamp);
      if (!ring.push(0, taken, texts[0], texts[1], time, payload, 0, payload.length, list)) break;
      taken++;
    }
    ring.publish();
    return taken;
  }

  async run(chain: ChainSpec, frames: number): Promise<Pick<TrialResult, 'outcomes' | 'flushed'>> {
    this.#expected = frames;
    const settled = new Promise<void>((resolve, reject) => {
      this.#settled = { resolve, reject };
    });
    // Heard of below; not an unhandled rejection if the start fails first.
    settled.catch(() => {});
    try {
      await this.#slot.swap(chain);
      await settled;
    } finally {
      await this.#slot.stop(AbortSignal.timeout(STOP_MS));
      this.#take();
    }
    return { outcomes: this.#outcomes, flushed: this.#flushed };
  }

  #take(): void {
    for (let delivery = this.#slot.next(); delivery !== undefined; delivery = this.#slot.next()) {
      this.#read(delivery);
      this.#slot.ack();
    }
    if (this.#outcomes.length >= this.#expected) this.#settled?.resolve();
  }

  #read(delivery: Delivery): void {
    for (let frame = delivery.begin; frame < delivery.end; frame++) {
      delivery.load(frame);
      const outcome = readOutcome(delivery.outcome, delivery.message, delivery.slab);
      if (!delivery.isFlush) this.#outcomes.push(outcome);
      else if (outcome.fault !== undefined || outcome.messages.length > 0) this.#flushed.push(outcome);
    }
  }
}
