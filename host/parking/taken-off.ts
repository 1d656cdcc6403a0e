import type { Queue } from '../spool/queue.js';
import type { Run } from '../spool/run.js';

/**
 * Takes the records of frames that are delivered off the disk: those of a run together, when all are. What plugins
 * remember may go to the disk before that; then those that are delivered by then go at once, else they would come again
 * after a kill, and be counted twice.
 */
export class TakenOff {
  readonly #remove: (queue: Queue, first: number, last: number) => Promise<void>;
  /** Of which some are delivered, and the last that is off the disk. */
  readonly #begun = new Map<Run, number>();
  readonly #removing = new Set<Promise<void>>();
  #stop: () => void = () => {};
  readonly #stopped = new Promise<void>(resolve => {
    this.#stop = resolve;
  });

  /** @param remove takes the records of these places off; it does not fail */
  constructor(remove: (queue: Queue, first: number, last: number) => Promise<void>) {
    this.#remove = remove;
  }

  /** Records of the run are delivered, up to `run.through`. */
  through(run: Run): void {
    if (!this.#begun.has(run)) this.#begun.set(run, run.first - 1);
  }

  /** The run has nothing more to bring. */
  finished(run: Run): void {
    this.#begun.delete(run);
    this.#take(run.queue, run.first, run.last);
  }

  /**
   * Marks what is delivered by now. What it gives takes that off the disk, and resolves when it is: nothing more, as who
   * waits for it has not counted more.
   */
  mark(): () => Promise<void> {
    const marked = [...this.#begun.keys()].map(run => [run, run.through] as const);
    return async () => {
      await Promise.all(marked.map(([run, through]) => this.#takeThrough(run, through)));
      await Promise.all(this.#removing);
    };
  }

  /** Nobody waits any longer for what is not on the disk. */
  stop(): void {
    this.#stop();
  }

  async #takeThrough(run: Run, through: number): Promise<void> {
    // What was handed on from memory may still be on its way to the disk.
    if (!run.isDurable) await Promise.race([run.durable(), this.#stopped]);
    const before = this.#begun.get(run);
    if (before === undefined || through <= before || !run.isDurable) return;
    this.#begun.set(run, through);
    this.#take(run.queue, before + 1, through);
  }

  #take(queue: Queue, first: number, last: number): void {
    const removing = this.#remove(queue, first, last).finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }
}
