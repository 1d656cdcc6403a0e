import { type Fault, faultOf } from '../../runtime/index.js';
import type { MessageView } from '../../sandbox/index.js';
import type { MessageId } from '../sinks/message-id.js';
import type { Ticket } from '../sinks/sink.js';
import type { Appended, WhenFull } from '../store/messages.js';
import { Chunk, type ShowRecord, type TakeRecord } from './chunk.js';
import type { Queue } from './queue.js';
import { RecordWriter } from './record.js';

const CHUNK_BYTES = 128 * 1024;
/** Chunks that may be on their way at once: beyond them the route waits. */
const MOST_CHUNKS = 8;
/** Records wait this long for others, so that a slow source does not cost a disk its life. */
const GATHER_MS = 50;
/** Before what could not be written is tried again. */
const AGAIN_MS = 1000;

export interface LaneEvents {
  append(chunk: Chunk, lane: Lane): Promise<Appended>;
  /** Resolves if so many bytes could be written now; nothing is. */
  probe(need: number, lane: Lane): Promise<void>;
  /** So many records are durable and can be fetched. */
  durable(result: Appended, count: number): void;
  /** Could not be written; it is tried again. */
  failed(fault: Fault): void;
  /** There is room again after `add` said that there is none. */
  room(): void;
}

/** The way of one route's messages for one sink to the disk; bounded, and in its own pace. */
export class Lane {
  readonly policy: WhenFull;
  /** Of the space of the spool that may be filled by all before nothing is put down here. */
  readonly share: number;
  /** Every queue that has put something down here. */
  readonly queues = new Set<Queue>();
  readonly #events: LaneEvents;
  readonly #writer = new RecordWriter();
  /** Handed over, oldest first. */
  readonly #sent: Chunk[] = [];
  readonly #free: Chunk[] = [];
  #open: Chunk | undefined;
  #now = 0;
  #starved = false;
  #timer: NodeJS.Timeout | undefined;
  /** Why nothing can be written now. */
  fault: Fault | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Bytes that could not be written last, while nothing waits for them any more: whether they could be is looked at. */
  #needs = 0;
  #probing: NodeJS.Timeout | undefined;
  readonly #stuck: Chunk[] = [];
  #emptied: (() => void) | undefined;
  #stopped = false;

  constructor(policy: WhenFull, share: number, events: LaneEvents) {
    this.policy = policy;
    this.share = share;
    this.#events = events;
  }

  /**
   * Puts a message down; false if there is no room, and `room` is called once there is.
   * @param ticket told when it is durable
   * @param copy of a message that the sink holds: the ticket of the copy, told too; else it is to be handed on later
   * @param mark shown when it is given back
   * @param always there is room, in memory
   */
  add(
    view: MessageView,
    id: MessageId,
    queue: Queue,
    place: number,
    ticket: Ticket,
    copy?: Ticket,
    mark = 0,
    always = false,
  ): boolean {
    const writer = this.#writer;
    writer.measure(view, id);
    const chunk = this.#chunkFor(writer.size, always);
    if (chunk === undefined) {
      this.#starved = true;
      return false;
    }
    if (chunk.used === 0) this.#now = Date.now();
    chunk.add(writer, view, id, queue, place, this.#now, copy === undefined, mark);
    chunk.tell(ticket);
    if (copy !== undefined) chunk.tell(copy);
    else queue.put(place, this.#now);
    this.queues.add(queue);
    queue.records++;
    queue.bytes += writer.imageSize;
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
    return true;
  }

  /** When the message that was added last was put down, milliseconds since 1970. */
  get since(): number {
    return this.#now;
  }

  /** More can be put down; else `room` is called once it can. */
  get hasRoom(): boolean {
    // One that is open counts for nothing here: what always finds room would fill it and open the next, without an end.
    if (this.#sent.length < MOST_CHUNKS) return true;
    this.#starved = true;
    return false;
  }

  /** What has been put down goes to the disk now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const chunk = this.#open;
    if (chunk === undefined || chunk.used === 0) return;
    this.#open = undefined;
    this.#sent.push(chunk);
    void this.#write(chunk);
  }

  /** Shows what is on its way to the disk of a queue, behind the place `after`, as long as `show` says true. */
  each(queue: Queue, after: number, show: ShowRecord): void {
    this.flush();
    for (const chunk of this.#sent) if (!chunk.each(queue, after, show)) return;
  }

  /** Everything is durable; at once if nothing is under way. */
  async empty(): Promise<void> {
    this.flush();
    if (this.#sent.length === 0) return;
    await new Promise<void>(resolve => {
      this.#emptied = resolve;
    });
  }

  /** Something can be put down, or it is worth a try. */
  get takes(): boolean {
    return this.fault === undefined || (this.#stuck.length === 0 && this.#again === undefined);
  }

  /** What could not be written is not tried again but given back. There are no copies among it. */
  giveBack(take: TakeRecord): void {
    const { fault } = this;
    if (fault === undefined) return;
    for (const chunk of this.#stuck.splice(0)) {
      this.#needs = chunk.used;
      chunk.giveBack(fault.code, take);
    }
    this.#probeLater();
    this.#shift();
    this.#hasRoom();
  }

  /** There may be space again. */
  retry(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
    let isFree = false;
    for (const chunk of this.#stuck.splice(0)) {
      if (chunk.isThrough) {
        this.#needs = chunk.used;
        chunk.withdraw();
        isFree = true;
      } else void this.#write(chunk);
    }
    if (!isFree) return;
    this.#probeLater();
    this.#shift();
    this.#hasRoom();
  }

  /** What could not be written was given back, and perhaps no more comes: then only a try shows that the fault is over. */
  #probeLater(): void {
    if (!this.#stopped) this.#probing ??= setTimeout(() => void this.#probe(), AGAIN_MS).unref();
  }

  async #probe(): Promise<void> {
    this.#probing = undefined;
    const { fault } = this;
    // What waits for the disk itself shows it.
    if (fault === undefined || this.#stuck.length > 0) return;
    let now: Fault | undefined;
    try {
      await this.#events.probe(this.#needs, this);
    } catch (thrown) {
      now = faultOf(thrown);
    }
    // Else something was written meanwhile, or could not be.
    if (this.fault === fault) this.fault = now;
    if (this.fault === undefined) this.#hasRoom();
    else this.#probeLater();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    clearTimeout(this.#probing);
    this.#stuck.length = 0;
  }

  #chunkFor(size: number, always: boolean): Chunk | undefined {
    if (this.#open !== undefined && this.#open.room < size) this.flush();
    if (this.#open !== undefined) return this.#open;
    if (!always && this.#sent.length >= MOST_CHUNKS) return undefined;
    if (size > CHUNK_BYTES) this.#open = new Chunk(size);
    else this.#open = this.#free.pop() ?? new Chunk(CHUNK_BYTES);
    return this.#open;
  }

  async #write(chunk: Chunk): Promise<void> {
    let result: Appended;
    try {
      result = await this.#events.append(chunk, this);
    } catch (thrown) {
      this.#failed(chunk, faultOf(thrown));
      return;
    }
    this.fault = undefined;
    const { count } = chunk;
    chunk.settle();
    this.#shift();
    this.#events.durable(result, count);
    this.#hasRoom();
  }

  /** What is at the front and done with is free again. */
  #shift(): void {
    for (let head = this.#sent[0]; head?.isDurable; head = this.#sent[0]) {
      this.#sent.shift();
      head.release();
      head.reset();
      if (head.size === CHUNK_BYTES && this.#free.length < MOST_CHUNKS) this.#free.push(head);
    }
  }

  #hasRoom(): void {
    if (this.#sent.length === 0) this.#emptied?.();
    if (!this.#starved) return;
    this.#starved = false;
    this.#events.room();
  }

  #failed(chunk: Chunk, fault: Fault): void {
    if (this.#stopped) return;
    this.fault = fault;
    this.#stuck.push(chunk);
    this.#events.failed(fault);
    chunk.stuck();
    this.#again ??= setTimeout(() => this.retry(), AGAIN_MS);
  }
}
