import { setTimeout as after } from 'node:timers/promises';
import { type ErrorCode, type Fault, faultOf } from '../../runtime/index.js';
import type { Origin } from '../sinks/message-id.js';
import type { SpoolSums } from '../sinks/sink.js';
import type { Appended, Gone, QueueName } from '../store/messages.js';
import type { SpoolMetrics } from '../telemetry/spool-metrics.js';
import type { TakeRecord } from './chunk.js';
import type { CopyPlace } from './copies.js';
import { Lane } from './lane.js';
import type { Queue } from './queue.js';
import type { RouteSpool } from './route-spool.js';
import type { Run } from './run.js';
import { PARKED, PARKED_SHARE, type Spool } from './spool.js';

/** Before records that could not be removed are tried again. */
const AGAIN_MS = 1000;

/** In the place of a queue: all there can be are taken, and as long as the gateway runs none is given up. */
const NO_PLACE = Symbol('no place');

export interface SinkQueuesOptions {
  /** Name of the sink. */
  readonly name: string;
  /** Absent: all routes. */
  readonly route?: string;
  readonly spool: Spool;
  readonly routeOf: (route: string) => RouteSpool;
  readonly metrics: SpoolMetrics;
  readonly report: (fault: Fault) => void;
  /** Told in the stead of `report` when something could not be put down. */
  readonly notPut?: (fault: Fault) => void;
}

export interface SinkQueuesEvents {
  /** An earlier run has left something in this queue. */
  found(queue: Queue): void;
  durable(): void;
  room(): void;
}

/** The queues of one sink, one for each source of each route, and the lanes by which they are filled. */
export class SinkQueues {
  readonly #options: SinkQueuesOptions;
  readonly #events: SinkQueuesEvents;
  /** By the number of the origin. */
  readonly #byOrigin: (Queue | typeof NO_PLACE | undefined)[] = [];
  readonly #byName = new Map<string, Queue>();
  readonly #byNumber = new Map<number, Queue>();
  readonly #lanes = new Map<string, Lane>();
  /** Sources for which there is no place. */
  readonly #withoutPlace = new Set<string>();
  #isStopped = false;

  constructor(options: SinkQueuesOptions, events: SinkQueuesEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Finds what an earlier run has left, now or as soon as the spool is open. */
  start(): void {
    this.#options.spool.whenOpen(() => this.#claim());
  }

  get isOpen(): boolean {
    return this.#options.spool.isOpen;
  }

  /** All queues. */
  get all(): Iterable<Queue> {
    return this.#byNumber.values();
  }

  /** Undefined: the spool is not open, or has no place for it. */
  of(origin: Origin): Queue | undefined {
    const known = this.#byOrigin[origin.number];
    return known === NO_PLACE ? undefined : (known ?? this.#first(origin));
  }

  laneOf({ name }: Queue): Lane {
    return this.#lanes.get(name.route) ?? this.#newLane(name.route);
  }

  copiesOf(origin: Origin): CopyPlace | undefined {
    const queue = this.of(origin);
    if (queue === undefined) return undefined;
    const into = queue.ordered ? queue : this.#named({ ...queue.name, aside: true });
    return into === undefined ? undefined : { queue, into, lane: this.laneOf(queue) };
  }

  /** The records of a run are needed no more. */
  async remove({ queue, first, last }: Run): Promise<void> {
    await this.removeTo(queue, first, last);
  }

  /** Nor are these. @param first place of the first, @param last of the last */
  async removeTo(queue: Queue, first: number, last: number): Promise<void> {
    for (;;) {
      try {
        this.#gone(await this.#options.spool.remove(queue, first, last));
        for (const lane of this.#lanes.values()) lane.retry();
        return;
      } catch (thrown) {
        // After the end of the gateway they are still there, and go out once more.
        if (this.#isStopped) return;
        this.failed(thrown);
        await after(AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  /** Something can be put down, or it is worth a try. */
  get takes(): boolean {
    for (const lane of this.#lanes.values()) if (!lane.takes) return false;
    return this.isOpen;
  }

  /** All lanes have room; else `room` is called once they have. */
  get hasRoom(): boolean {
    let has = true;
    for (const lane of this.#lanes.values()) if (!lane.hasRoom) has = false;
    return has;
  }

  /** What could not be put down is given back. For queues of which there are no copies. */
  giveBack(take: TakeRecord): void {
    for (const lane of this.#lanes.values()) lane.giveBack(take);
  }

  /** Records that were to be there and are not. */
  lost(queue: Queue, count: number): void {
    queue.records = Math.max(0, queue.records - count);
    this.#dropped('SLUICE_SPOOL_LOST', count, queue, 'could not be read back');
  }

  failed(thrown: unknown): Fault {
    const fault = faultOf(thrown);
    this.#options.report(fault);
    return fault;
  }

  /** Everything that was put down is durable. */
  async empty(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(lane => lane.empty()));
  }

  stop(): void {
    this.#isStopped = true;
    for (const lane of this.#lanes.values()) lane.stop();
  }

  sums(): SpoolSums {
    let records = 0;
    let bytes = 0;
    let oldest = 0;
    for (const queue of this.#byNumber.values()) {
      records += queue.records;
      bytes += queue.bytes;
      if (queue.oldest > 0 && (oldest === 0 || queue.oldest < oldest)) oldest = queue.oldest;
    }
    const oldestMs = oldest === 0 ? 0 : Math.max(0, Date.now() - oldest);
    const { fault } = this;
    return {
      records,
      bytes: Math.round(bytes),
      oldestMs,
      ...(fault === undefined ? {} : { fault }),
      ...(this.#withoutPlace.size === 0 ? {} : { withoutPlace: [...this.#withoutPlace] }),
    };
  }

  /** Why nothing can be put down now. */
  get fault(): Fault | undefined {
    for (const { fault } of this.#lanes.values()) if (fault !== undefined) return fault;
    return this.#options.spool.fault;
  }

  /** Sets the metrics. */
  show(): void {
    const { records, bytes, oldestMs } = this.sums();
    this.#options.metrics.holds(records, bytes, oldestMs / 1000);
  }

  #claim(): void {
    // The spool is open only now, and nobody is here any more.
    if (this.#isStopped) return;
    const { spool, name, route: only, routeOf } = this.#options;
    const isOrdered = ({ aside, route }: QueueName): boolean =>
      !aside && !spool.isLate && routeOf(route).catchUp === 'ordered';
    for (const queue of spool.claim(name, isOrdered, only)) {
      if (spool.isLate) this.#late(queue);
      else this.#add(queue);
      this.#events.found(queue);
    }
  }

  /** Others have passed it, so it is a queue for itself; the one of its origin keeps its order. */
  #late(queue: Queue): void {
    this.#byNumber.set(queue.name.number, queue);
    const { source, route } = queue.name;
    const message = `${queue.records} ${this.#what} of ${source || 'the chain'} (route ${route}) lay in a spool that could not be opened at the start: fresh ones have passed them`;
    this.#options.report({ code: 'SLUICE_SPOOL_LATE', message });
  }

  get #what(): string {
    return this.#options.name === PARKED ? 'frames' : 'messages';
  }

  #first({ route, source, number }: Origin): Queue | undefined {
    const queue = this.#named({ sink: this.#options.name, route, source, aside: false });
    if (queue !== undefined) this.#byOrigin[number] = queue;
    else if (this.isOpen) {
      this.#byOrigin[number] = NO_PLACE;
      this.#withoutPlace.add(source || 'the chain');
      const whom = this.#options.name === PARKED ? 'its plugins' : this.#options.name;
      const message = `${source || 'the chain'} (route ${route}) has no place in the spool for ${whom}: there are as many queues as there can be`;
      this.#options.report({ code: 'SLUICE_SPOOL_QUEUES', message });
    }
    return queue;
  }

  #named(name: Omit<QueueName, 'number'>): Queue | undefined {
    const known = this.#byName.get(textOf(name));
    if (known !== undefined || !this.isOpen) return known;
    const ordered = !name.aside && this.#options.routeOf(name.route).catchUp === 'ordered';
    const queue = this.#options.spool.newQueue(name, ordered);
    if (queue !== undefined) this.#add(queue);
    return queue;
  }

  #add(queue: Queue): void {
    this.#byName.set(textOf(queue.name), queue);
    this.#byNumber.set(queue.name.number, queue);
  }

  #newLane(route: string): Lane {
    const { name, spool, metrics, routeOf, report, notPut = report } = this.#options;
    const { whenFull } = routeOf(route);
    const lane = new Lane(whenFull, name === PARKED ? PARKED_SHARE : 1, {
      append: (chunk, own) => spool.append(chunk, own),
      probe: (need, own) => spool.probe(need, own),
      durable: (result, count) => {
        metrics.appended(count);
        this.#madeRoom(result, whenFull);
        this.#events.durable();
      },
      failed: notPut,
      room: () => this.#events.room(),
    });
    this.#lanes.set(route, lane);
    return lane;
  }

  #gone({ queue: number, records, bytes }: Gone): void {
    const queue = this.#byNumber.get(number);
    if (queue === undefined) return;
    queue.records = Math.max(0, queue.records - records);
    queue.bytes = queue.records === 0 ? 0 : Math.max(0, queue.bytes - bytes);
  }

  #madeRoom({ gone }: Appended, policy: RouteSpool['whenFull']): void {
    for (const each of gone) {
      const queue = this.#byNumber.get(each.queue);
      if (queue === undefined || each.records === 0) continue;
      this.#gone(each);
      queue.madeRoom(each.places, each.oldest);
      if (policy === 'down-sample')
        this.#dropped(
          'SLUICE_SPOOL_THINNED',
          each.records,
          queue,
          'made room: every second one of the older half',
        );
      else this.#dropped('SLUICE_SPOOL_OLDEST', each.records, queue, 'made room for newer ones');
    }
  }

  #dropped(code: ErrorCode, count: number, { name }: Queue, why: string): void {
    this.#options.metrics.dropped(code, count);
    const whom = name.sink === PARKED ? 'its plugins' : name.sink;
    const message = `${count} ${this.#what} of ${name.source || 'the chain'} (route ${name.route}) for ${whom} in the spool ${why}`;
    this.#options.report({ code, message });
  }
}

function textOf({ route, source, aside }: Omit<QueueName, 'number'>): string {
  return `${route}\n${source}\n${aside}`;
}
