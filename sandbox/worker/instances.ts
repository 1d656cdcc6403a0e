import { Chain, faultOf, LIMITS, type Room, type Stage } from '../../runtime/index.js';
import type { FromSandbox, Keeping } from '../messages.js';
import { CALL, RING } from '../ring/ring-words.js';
import type { CallMarks } from './call-marks.js';
import { Discards } from './discards.js';
import type { GuestLogs } from './guest-logs.js';
import { Memory } from './memory.js';
import type { Prepared } from './stages.js';

/** The instances of a chain, one a stage: made together, thrown away together when one fails, and what they remember. */
export class Instances {
  readonly #prepared: readonly Prepared[];
  readonly #control: Int32Array;
  readonly #calls: CallMarks;
  readonly #logs: GuestLogs;
  readonly #post: (message: FromSandbox) => void;
  readonly #rooms: readonly (Room | undefined)[];
  readonly #memory: Memory;
  #stages: readonly Stage[] = [];
  #isStateful = false;
  #chain: Chain;
  /** Those that failed. */
  readonly discards = new Discards();

  /** @throws SluiceError that names the step */
  constructor(
    prepared: readonly Prepared[],
    control: Int32Array,
    calls: CallMarks,
    logs: GuestLogs,
    post: (message: FromSandbox) => void,
  ) {
    this.#prepared = prepared;
    this.#control = control;
    this.#calls = calls;
    this.#logs = logs;
    this.#post = post;
    this.#rooms = prepared.map(stage => stage.room());
    this.#memory = new Memory(prepared.length, restored => post({ kind: 'restored', ...restored }));
    this.#chain = this.#fresh();
  }

  /** Those of now. */
  get chain(): Chain {
    return this.#chain;
  }

  /** Which stages have a state to hand over. */
  get stateful(): readonly boolean[] {
    return this.#stages.map(({ instance }) => instance.isStateful);
  }

  /** Memory of all of them. */
  get pages(): number {
    let bytes = 0;
    for (const { instance } of this.#stages) bytes += instance.memoryBytes;
    return Math.floor(bytes / LIMITS.page);
  }

  /** From here on they serve, and go on from what is kept. */
  serve(keeping: Keeping): void {
    if (!this.#isStateful) return;
    this.#memory.begin(keeping);
    this.#chain = this.#chainOf(this.#stages.map((stage, index) => this.#restore(stage, index)));
    this.#memory.serves();
  }

  /** One of them failed: all are thrown away, and fresh ones serve. */
  renew(): void {
    this.#chain = this.#fresh();
  }

  /** Counts a batch. True: what they remember is to be saved behind it. */
  get isSaveDue(): boolean {
    return this.#isStateful && this.#memory.isDue;
  }

  /**
   * Sends what they remember. Where that fails, fresh ones go on from what was sent before.
   * @param sequence of the slab that it stands in or before @param progress frames of that slab that are in it
   */
  save(sequence: number, progress: number): void {
    if (!this.#isStateful || !this.#memory.isOn) return;
    const calls = this.#calls;
    calls.purpose(CALL.export);
    try {
      const states = this.#memory.take(this.#stages, sequence, stage => calls.at(stage));
      calls.purpose(CALL.run);
      this.#post({ kind: 'state', generation: this.#memory.generation, sequence, progress, states });
    } catch (thrown) {
      const stage = calls.last;
      calls.at(-1);
      this.#memory.stop();
      this.#post({ kind: 'unsaved', fault: faultOf(thrown), stage });
      this.renew();
    }
  }

  #fresh(): Chain {
    for (const [index, { instance }] of this.#stages.entries())
      this.discards.add(this.#rooms[index]?.isKept === true ? 0 : instance.memoryBytes);
    const stages = this.#prepared.map((_, index) => {
      const made = this.#make(index);
      return this.#calls.isServing ? this.#restore(made, index) : made;
    });
    return this.#chainOf(stages);
  }

  #chainOf(stages: readonly Stage[]): Chain {
    this.#stages = stages;
    this.#isStateful = this.stateful.includes(true);
    return new Chain(stages, stage => this.#calls.at(stage));
  }

  #make(index: number): Stage {
    this.#calls.purpose(CALL.start);
    this.#calls.at(index);
    const made = (this.#prepared[index] as Prepared).make(
      this.#logs.of(index),
      undefined,
      this.#rooms[index],
    );
    this.#calls.at(-1);
    this.#calls.purpose(CALL.run);
    return made;
  }

  /** Gives an instance that has run nothing yet what it is to go on from. */
  #restore(stage: Stage, index: number): Stage {
    const next = Atomics.load(this.#control, RING.committed);
    const importing = (call: () => void): void => {
      this.#calls.purpose(CALL.import);
      this.#calls.at(index);
      try {
        call();
      } finally {
        this.#calls.at(-1);
        this.#calls.purpose(CALL.run);
      }
    };
    return this.#memory.give(stage, index, next, importing, () => this.#make(index));
  }
}
