import type { Fault } from '../../runtime/index.js';
import type { MessageId } from '../sinks/message-id.js';
import type { Taken } from '../store/messages.js';
import { TAKEN } from '../store/spool-file.js';
import type { Lane } from './lane.js';
import type { Queue } from './queue.js';
import { Rate } from './rate.js';
import { RecordView } from './record.js';
import { Run, type RunEvents } from './run.js';

/**
 * Messages of the spool that the sink may hold at once, and at most half of its window: enough for a fast link,
 * and live messages do not wait long behind them.
 */
const MOST_IN_FLIGHT = 1000;
/** Memory for what was fetched, of one queue at a time, and how often. */
const BUFFER_BYTES = 256 * 1024;
const MOST_BUFFERS = 4;
/** Records of one queue that are handed on before the next one has its turn: a few of one source do not wait behind all that was fetched of another. */
const IN_TURN = 16;
/** Before a file that could not be read is asked again. */
const AGAIN_MS = 1000;

/** What records are handed to. */
export interface Receiver {
  /** Most of them that it may have at once, and as many others. */
  readonly capacity: number;
  /** False: it has no room; who made it pumps when it has. */
  write(view: RecordView, run: Run, id: MessageId, place: number): boolean;
  /** Everything written in this turn may go on now. */
  flush(): void;
}

export interface CatchUpEvents {
  take(queue: Queue, into: SharedArrayBuffer): Promise<Taken>;
  /** Records that were to be there and are not. */
  lost(queue: Queue, count: number): void;
  failed(thrown: unknown): Fault;
  /** How the records of a queue get to the disk. */
  laneOf(queue: Queue): Lane;
  /** What the disk had no room for has been handed on: fresh messages can pass. */
  through?(): void;
}

/** Records that were fetched, on their way to the sink. */
interface Load {
  readonly queue: Queue;
  readonly memory: SharedArrayBuffer;
  readonly bytes: Buffer;
  readonly used: number;
  readonly run: Run;
  at: number;
}

/** Hands what lies in the spool to the sink as it takes it: the queues in turns, each in its order. */
export class CatchUp {
  readonly #sink: Receiver;
  readonly #events: CatchUpEvents;
  readonly #runEvents: RunEvents;
  readonly #rate: Rate;
  readonly #view = new RecordView();
  readonly #queues = new Set<Queue>();
  readonly #loads: Load[] = [];
  readonly #free: SharedArrayBuffer[] = [];
  readonly #most: number;
  #buffers = 0;
  #inFlight = 0;
  /** Records that the first of the loads may still hand on in its turn. */
  #turn = IN_TURN;
  #isRunning = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param rate most messages a second */
  constructor(sink: Receiver, rate: number, events: CatchUpEvents, runEvents: Omit<RunEvents, 'settled'>) {
    this.#sink = sink;
    this.#most = Math.max(1, Math.min(MOST_IN_FLIGHT, sink.capacity >> 1));
    this.#rate = new Rate(rate);
    this.#events = events;
    this.#runEvents = { ...runEvents, settled: count => this.#settled(count) };
  }

  /** For copies of what the sink holds already. */
  copies(queue: Queue): Run {
    return new Run(queue, { ...this.#runEvents, settled: () => {} }, false);
  }

  /** The queue has something to hand on. */
  add(queue: Queue): void {
    this.#queues.add(queue);
  }

  /** The sink can take messages. */
  start(): void {
    this.#isRunning = true;
    this.pump();
  }

  /** It cannot: what it was not given yet waits. */
  pause(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Nothing more is handed on; what was is removed as soon as it is confirmed, and does not go out once more. */
  end(): void {
    this.pause();
    for (const { run } of this.#loads.splice(0)) run.seal();
  }

  /** Goes on as far as the sink, the rate and what was fetched allow. */
  pump(): void {
    if (!this.#isRunning) return;
    let passed = 0;
    const may = Math.min(this.#rate.left, this.#most - this.#inFlight);
    while (passed < may) {
      const load = this.#loads[0];
      if (load === undefined || !this.#hand(load)) break;
      passed++;
      if (--this.#turn === 0) this.#nextTurn();
    }
    if (passed > 0) {
      this.#rate.passed(passed);
      this.#sink.flush();
    } else if (may <= 0 && this.#inFlight < this.#most) this.#pumpLater();
    this.#handOnStuck();
    this.#fetch();
  }

  /**
   * Of a busy source there are always some records between the memory and the disk. Hands these on from memory,
   * so that it can pass straight through again. True: nothing is left. Where the disk has no room, as many as may be.
   */
  finish(queue: Queue, lane: Lane): boolean {
    if (!this.#isRunning || !queue.isNearlyThrough) return false;
    const may = Math.min(this.#rate.left, this.#most - this.#inFlight);
    if (may <= 0 || (queue.pending > may && lane.fault === undefined)) return false;
    const run = new Run(queue, this.#runEvents, false);
    let passed = 0;
    lane.each(queue, queue.cursor, (bytes, start, end, place, since, chunk) => {
      if (passed >= may || !this.#write(queue, run, bytes, start, end, place, since)) return false;
      queue.cursor = place;
      passed++;
      if (chunk.isDurable) run.spooled(1);
      else chunk.handedOn(run);
      return true;
    });
    run.seal();
    this.#rate.passed(passed);
    if (queue.pending > 0) return false;
    this.#look(queue);
    return true;
  }

  /** What the disk has no room for need not wait for it while the sink takes messages. */
  #handOnStuck(): void {
    for (const queue of this.#queues) {
      const { pending } = queue;
      if (pending === 0 || !queue.isNearlyThrough) continue;
      const lane = this.#events.laneOf(queue);
      if (lane.fault === undefined) continue;
      const isThrough = this.finish(queue, lane);
      if (queue.pending < pending) this.#sink.flush();
      if (isThrough) this.#events.through?.();
    }
  }

  #pumpLater(ms = 10): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.pump();
    }, ms);
  }

  #nextTurn(): void {
    this.#turn = IN_TURN;
    const load = this.#loads.shift();
    if (load !== undefined) this.#loads.push(load);
  }

  /** Hands one record over; false: the sink has no room, and calls. */
  #hand(load: Load): boolean {
    const { bytes, queue, run, at } = load;
    const start = at + TAKEN.header;
    const end = start + bytes.readUInt32LE(at + TAKEN.size);
    const place = bytes.readDoubleLE(at + TAKEN.place);
    if (!this.#write(queue, run, bytes, start, end, place, bytes.readDoubleLE(at + TAKEN.since)))
      return false;
    load.at = end;
    if (end === load.used) this.#end(load);
    return true;
  }

  #write(
    queue: Queue,
    run: Run,
    bytes: Buffer,
    start: number,
    end: number,
    place: number,
    since: number,
  ): boolean {
    const view = this.#view;
    view.load(bytes, start, end);
    view.late = !queue.ordered;
    if (!this.#sink.write(view, run, view, place)) return false;
    run.add(place, since);
    // What is behind it came then or later.
    queue.waitsSince = since;
    this.#inFlight++;
    queue.pending--;
    return true;
  }

  #end(load: Load): void {
    this.#loads.shift();
    this.#release(load.memory);
    load.queue.isBusy = false;
    load.run.seal();
    this.#look(load.queue);
  }

  /** After the last that was fetched of a queue: is it through? */
  #look(queue: Queue): void {
    // Everything that was put down has been fetched: what is expected beyond that is gone.
    if (queue.cursor >= queue.appended && queue.pending > 0) this.#miss(queue, queue.pending);
    if (queue.pending > 0) return;
    this.#queues.delete(queue);
    queue.waitsSince = 0;
  }

  #settled(count: number): void {
    this.#inFlight -= count;
    // Not from within the sink's own account of its confirmations.
    if (this.#isRunning && this.#inFlight <= this.#most / 2) this.#pumpLater(0);
  }

  /** Asks for the next records of the queues, each in its turn, while there is memory for them. */
  #fetch(): void {
    for (const queue of this.#queues) {
      if (this.#loads.length >= MOST_BUFFERS) return;
      if (!queue.hasMore) continue;
      const memory = this.#memory();
      if (memory === undefined) return;
      // Behind the others the next time.
      this.#queues.delete(queue);
      this.#queues.add(queue);
      queue.isBusy = true;
      void this.#take(queue, memory);
    }
  }

  async #take(queue: Queue, memory: SharedArrayBuffer): Promise<void> {
    const upTo = queue.committed;
    let taken: Taken;
    try {
      taken = await this.#events.take(queue, memory);
    } catch (thrown) {
      this.#release(memory);
      queue.isBusy = false;
      this.#events.failed(thrown);
      this.#pumpLater(AGAIN_MS);
      return;
    }
    if (taken.needs > memory.byteLength) {
      this.#release(memory);
      this.#buffers++;
      void this.#take(queue, new SharedArrayBuffer(taken.needs));
      return;
    }
    this.#took(queue, memory, taken, upTo);
    this.pump();
  }

  /** @param upTo place up to which it was asked for: more may have been put down since */
  #took(
    queue: Queue,
    memory: SharedArrayBuffer,
    { records, used, last, damaged }: Taken,
    upTo: number,
  ): void {
    queue.cursor = Math.max(queue.cursor, last);
    if (damaged > 0) this.#miss(queue, damaged);
    if (records > 0) {
      const run = new Run(queue, this.#runEvents, true);
      this.#loads.push({ queue, memory, bytes: Buffer.from(memory), used, run, at: 0 });
      return;
    }
    this.#release(memory);
    queue.isBusy = false;
    if (last < upTo && damaged === 0) queue.cursor = upTo;
    this.#look(queue);
  }

  #miss(queue: Queue, count: number): void {
    queue.pending = Math.max(0, queue.pending - count);
    this.#events.lost(queue, count);
  }

  #memory(): SharedArrayBuffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#buffers >= MOST_BUFFERS) return undefined;
    this.#buffers++;
    return new SharedArrayBuffer(BUFFER_BYTES);
  }

  #release(memory: SharedArrayBuffer): void {
    if (memory.byteLength === BUFFER_BYTES) this.#free.push(memory);
    else this.#buffers--;
  }
}
