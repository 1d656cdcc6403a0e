import type { MessageView } from '../../sandbox/index.js';
import type { FrameId, Origin } from '../sinks/message-id.js';
import type { Insurer, Ticket, WindowedSink } from '../sinks/sink.js';
import type { Lane } from './lane.js';
import type { Queue } from './queue.js';
import { Run } from './run.js';

/** Messages that are removed together once they are confirmed. */
const MOST = 256;

/** Where the copies of one origin go. */
export interface CopyPlace {
  /** Where its messages have their places. */
  readonly queue: Queue;
  /** Where copies are put: beside the queue if it is not kept in order. */
  readonly into: Queue;
  readonly lane: Lane;
}

/** Copies what waits in the window of a sink into the spool: in the places that it has in its queue, or beside it. */
export class Copies implements Insurer {
  readonly #sink: Pick<WindowedSink, 'insure'>;
  readonly #placeOf: (origin: Origin) => CopyPlace | undefined;
  readonly #newRun: (queue: Queue) => Run;
  readonly #open = new Map<Queue, Run>();
  #isComplete = true;

  constructor(
    sink: Pick<WindowedSink, 'insure'>,
    placeOf: (origin: Origin) => CopyPlace | undefined,
    newRun: (queue: Queue) => Run,
  ) {
    this.#sink = sink;
    this.#placeOf = placeOf;
    this.#newRun = newRun;
  }

  /** Copies what has no copy; false if there was no room for all of it. */
  make(): boolean {
    this.#isComplete = true;
    this.#sink.insure(this);
    for (const queue of [...this.#open.keys()]) this.#seal(queue);
    return this.#isComplete;
  }

  has(ticket: Ticket): boolean {
    if (!(ticket instanceof Run)) return false;
    // A record of the spool stands between: what is removed together must not reach over it.
    this.#seal(ticket.queue);
    return true;
  }

  copy(view: MessageView, id: FrameId, ticket: Ticket): Ticket | undefined {
    const place = this.#placeOf(id.origin);
    if (place === undefined) {
      this.#isComplete = false;
      return undefined;
    }
    const { queue, into, lane } = place;
    const run = this.#open.get(into) ?? this.#newRun(into);
    // Beside its queue a copy has a place of its own: those of another run of the gateway may be there, and the places of
    // the queue begin anew with each. 0: it passed before the spool was open.
    const at = into === queue && id.place > 0 ? id.place : into.last + 1;
    if (!lane.add(view, id, into, at, ticket, run)) {
      this.#isComplete = false;
      return undefined;
    }
    into.last = Math.max(into.last, at);
    this.#open.set(into, run);
    run.add(at, lane.since);
    if (run.count >= MOST) this.#seal(into);
    return run;
  }

  #seal(queue: Queue): void {
    this.#open.get(queue)?.seal();
    this.#open.delete(queue);
  }
}
