import { readFileSync } from 'node:fs';
import { defaultRules, LIMITS, Stamp } from '../../../runtime/index.js';
import { type Delivery, SandboxPool, Slot } from '../../../sandbox/index.js';
import { MEMORY, MODULE } from './direct.js';
import type { Variant } from './variant.js';
import { ADUS, FRAME_BYTES, FRAMES, SOURCE, type Tally, TOPIC_TEXT } from './work.js';

/** A slot on a real thread, with a reader that touches every result and writes what comes next. */
export class Rig {
  readonly #pool = new SandboxPool({ threads: 1, spares: 0 });
  readonly #slot = new Slot(this.#pool, {
    committed: () => this.#take(),
    fault: fault => this.#fail(new Error(fault.message)),
    restarted: fault => this.#fail(new Error(fault.message)),
    failed: fault => this.#fail(new Error(fault.message)),
    log: () => {},
  });
  #tally: Tally | undefined;
  #more: (delivered: number) => void = () => {};
  #done = Promise.withResolvers<number>();
  #over: () => boolean = () => true;
  #pushed = 0;
  #read = 0;
  readonly #now = new Stamp();

  async start(): Promise<void> {
    const stage = {
      plugin: 'modbus-json',
      version: '0.0.0',
      kind: 'converter',
      config: '{}',
      rules: defaultRules('modbus-json', MEMORY),
      deadlineMs: 1000,
      code: { format: 'core', bytes: readFileSync(MODULE) },
    } as const;
    await this.#slot.swap({ stages: [stage], startDeadlineMs: 5000, output: LIMITS.output });
  }

  async stop(): Promise<void> {
    await this.#slot.stop(AbortSignal.timeout(1000));
    await this.#pool.close();
  }

  /** Keeps the ring full of batches of exactly `size` frames. */
  batches(size: number, over: () => boolean, tally: Tally): Promise<number> {
    return this.#run(over, tally, () => {
      while (!this.#over() && this.#batch(size)) {}
    });
  }

  /** Keeps `count` frames on their way; what goes together is up to the slot. */
  inFlight(count: number, over: () => boolean, tally: Tally): Promise<number> {
    return this.#run(over, tally, delivered => {
      const frames = this.#pushed === 0 ? count : delivered;
      this.#now.set(Date.now());
      for (let i = 0; i < frames && !this.#over(); i++)
        if (!this.#push()) throw new Error('the ring is full');
      this.#slot.turnEnded();
    });
  }

  #run(over: () => boolean, tally: Tally, more: (delivered: number) => void): Promise<number> {
    this.#tally = tally;
    this.#over = over;
    this.#more = more;
    this.#pushed = 0;
    this.#read = 0;
    this.#done = Promise.withResolvers();
    more(0);
    return this.#done.promise;
  }

  #batch(size: number): boolean {
    const { ring } = this.#slot;
    // The slot follows the guest's speed with it after each delivery; here the size is given.
    ring.batchLimit = LIMITS.batch;
    this.#now.set(Date.now());
    for (let i = 0; i < size; i++) {
      if (this.#push()) continue;
      if (i > 0) throw new Error(`a batch of ${size} frames does not fit into a slab`);
      return false;
    }
    ring.publish();
    return true;
  }

  #push(): boolean {
    const { ring } = this.#slot;
    const adu = ADUS[this.#pushed & (FRAMES - 1)]!;
    if (!ring.push(0, this.#pushed, SOURCE, TOPIC_TEXT, this.#now, adu, 0, FRAME_BYTES, undefined))
      return false;
    this.#pushed++;
    return true;
  }

  #take(): void {
    const before = this.#read;
    try {
      for (let delivery = this.#slot.next(); delivery !== undefined; delivery = this.#slot.next()) {
        if (!delivery.isFlush) this.#readAll(delivery);
        this.#slot.ack();
      }
      if (this.#read > before) this.#more(this.#read - before);
    } catch (thrown) {
      this.#fail(thrown);
    }
    if (this.#read === this.#pushed && this.#over()) this.#done.resolve(this.#read);
  }

  #readAll(delivery: Delivery): void {
    const tally = this.#tally!;
    const { begin, end, message, outcome, slab } = delivery;
    const { u8 } = slab;
    for (let frame = begin; frame < end; frame++) {
      delivery.load(frame);
      message.load(slab, outcome.offset);
      tally.take(
        delivery.sequenceOf(frame),
        u8,
        message.topicStart,
        message.topicEnd,
        u8,
        message.payloadStart,
        message.payloadEnd,
      );
    }
    this.#read += end - begin;
  }

  #fail(thrown: unknown): void {
    this.#done.reject(thrown);
  }
}

/** The batch sizes of the ring, and one and four frames on their way at a time. */
export function ringVariants(rig: Rig): Variant[] {
  const batches = [1024, 256, 64, 16, 1].map(
    (size): Variant => ({ name: `ring-${size}`, run: (over, tally) => rig.batches(size, over, tally) }),
  );
  const flights = [4, 1].map(
    (count): Variant => ({
      name: `in-flight-${count}`,
      run: (over, tally) => rig.inFlight(count, over, tally),
    }),
  );
  return [...batches, ...flights];
}
