import type { ErrorCode } from '../../runtime/index.js';
import type { MessageView } from '../../sandbox/index.js';
import type { MessageId } from '../sinks/message-id.js';
import type { Ticket } from '../sinks/sink.js';
import { CHUNK } from '../store/spool-file.js';
import type { Queue } from './queue.js';
import type { RecordWriter } from './record.js';
import { Run } from './run.js';

/** One record: its image is `bytes[start, end)`; `since`: when it was put down. */
export type ShowRecord = (
  bytes: Buffer,
  start: number,
  end: number,
  place: number,
  since: number,
  chunk: Chunk,
) => boolean;

/**
 * A record that is not put down after all: its image is `bytes[start, end)`. Its ticket is told at once, or when what is
 * given has come.
 */
export type TakeRecord = (
  bytes: Buffer,
  start: number,
  end: number,
  queue: Queue,
  mark: number,
) => Promise<void> | undefined;

/** Records of one route on their way to the disk: laid out here, then lent to the thread of the store. */
export class Chunk {
  readonly shared: SharedArrayBuffer;
  readonly #bytes: Buffer;
  used = 0;
  /** Records in it. */
  count = 0;
  /** The thread has said that it is durable. */
  isDurable = false;
  /** Queues of its records, and the place of the last record of each that is to be handed on. */
  readonly queues: Queue[] = [];
  readonly #upTo: number[] = [];
  /** Told when it is durable: tickets, and for how many messages. */
  readonly #tickets: Ticket[] = [];
  readonly #counts: number[] = [];
  /** Records of it that were handed on from here, before they were durable. */
  readonly #runs: Run[] = [];

  constructor(size: number) {
    this.shared = new SharedArrayBuffer(size);
    this.#bytes = Buffer.from(this.shared);
  }

  get size(): number {
    return this.#bytes.length;
  }

  get room(): number {
    return this.#bytes.length - this.used;
  }

  /**
   * Takes the record that `writer` has measured; there is room.
   * @param pending it is to be handed on, @param mark of who puts it down, for `giveBack`
   */
  add(
    writer: RecordWriter,
    view: MessageView,
    id: MessageId,
    queue: Queue,
    place: number,
    since: number,
    pending: boolean,
    mark: number,
  ): void {
    writer.write(view, id, queue.name.number, place, since, mark, this.#bytes, this.used);
    this.used += writer.size;
    this.count++;
    let index = this.queues.length - 1;
    while (index >= 0 && this.queues[index] !== queue) index--;
    if (index < 0) {
      this.queues.push(queue);
      this.#upTo.push(pending ? place : 0);
    } else if (pending) this.#upTo[index] = place;
  }

  /** `ticket` is told of one more message when this is durable. */
  tell(ticket: Ticket): void {
    const last = this.#tickets.length - 1;
    if (this.#tickets[last] === ticket) this.#counts[last] = (this.#counts[last] as number) + 1;
    else {
      this.#tickets.push(ticket);
      this.#counts.push(1);
    }
  }

  /** The next record of the run was handed on from here: it is told when that one is durable. */
  handedOn(run: Run): void {
    this.tell(run);
    if (this.#runs.at(-1) !== run) this.#runs.push(run);
  }

  /**
   * Shows the records of a queue behind the place `after`, as long as `show` says true; false if it did not.
   */
  each(queue: Queue, after: number, show: ShowRecord): boolean {
    const bytes = this.#bytes;
    for (let at = 0; at < this.used; ) {
      const start = at + CHUNK.header;
      const end = start + bytes.readUInt32LE(at + CHUNK.size);
      const place = bytes.readDoubleLE(at + CHUNK.place);
      if (bytes.readUInt32LE(at + CHUNK.queue) === queue.name.number && place > after) {
        if (!show(bytes, start, end, place, bytes.readDoubleLE(at + CHUNK.since), this)) return false;
      }
      at = end;
    }
    return true;
  }

  /** There was no room for it on the disk. */
  stuck(): void {
    for (const ticket of this.#tickets) if (ticket instanceof Run) ticket.stuck();
  }

  /** All of it was handed on, or is a copy of what was, and is confirmed: it need not be on the disk any more. */
  get isThrough(): boolean {
    let confirmed = 0;
    for (const [index, ticket] of this.#tickets.entries())
      if (ticket instanceof Run && ticket.isConfirmed) confirmed += this.#counts[index] as number;
    return confirmed === this.count;
  }

  /** It is through, and is not written. */
  withdraw(): void {
    const bytes = this.#bytes;
    for (let at = 0; at < this.used; ) {
      const size = bytes.readUInt32LE(at + CHUNK.size);
      const number = bytes.readUInt32LE(at + CHUNK.queue);
      this.queues.find(({ name }) => name.number === number)?.withdraw(size, false);
      at += CHUNK.header + size;
    }
    this.used = this.count = 0;
    // None of its queues is in the file for it.
    this.queues.length = this.#upTo.length = 0;
    this.settle();
  }

  /** It is durable: the tickets are told. */
  settle(): void {
    this.isDurable = true;
    for (const queue of this.queues) queue.isKnown = true;
    for (let i = 0; i < this.#tickets.length; i++)
      (this.#tickets[i] as Ticket).spooled(this.#counts[i] as number);
    this.#tickets.length = this.#counts.length = this.#runs.length = 0;
  }

  /**
   * It is not written: every record is given back, and there is nothing in it. Those that were handed on from here are
   * not, as they are under way: their tickets are told when they have got there. None is a copy.
   * @param code why, for the tickets
   */
  giveBack(code: ErrorCode, take: TakeRecord): void {
    const bytes = this.#bytes;
    let own = 0;
    let left = this.#counts[0] ?? 0;
    for (let at = 0; at < this.used; ) {
      const start = at + CHUNK.header;
      const end = start + bytes.readUInt32LE(at + CHUNK.size);
      const number = bytes.readUInt32LE(at + CHUNK.queue);
      const queue = this.queues.find(({ name }) => name.number === number) as Queue;
      const place = bytes.readDoubleLE(at + CHUNK.place);
      const ticket = this.#tickets[own] as Ticket;
      const told = (): void => ticket.dropped(1, code);
      const run = this.#runs.find(each => each.queue === queue && each.first <= place && place <= each.last);
      queue.withdraw(end - start, run === undefined);
      if (run !== undefined) run.withdrawn(told);
      else {
        const taken = take(bytes, start, end, queue, bytes.readDoubleLE(at + CHUNK.mark));
        if (taken === undefined) told();
        else void taken.then(told);
      }
      left--;
      if (left === 0) left = this.#counts[++own] ?? 0;
      at = end;
    }
    this.isDurable = true;
    this.used = this.count = 0;
    this.queues.length = this.#upTo.length = this.#tickets.length = this.#counts.length = 0;
    this.#runs.length = 0;
  }

  /** All chunks before it are durable too: its records can be fetched. */
  release(): void {
    for (const [index, queue] of this.queues.entries()) queue.commit(this.#upTo[index] as number);
  }

  reset(): void {
    this.used = this.count = 0;
    this.isDurable = false;
    this.queues.length = this.#upTo.length = 0;
  }
}
