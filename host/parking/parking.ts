import type { ErrorCode, Fault, FrameCopy } from '../../runtime/index.js';
import { type Delivery, UnservedRing } from '../../sandbox/index.js';
import { type FrameId, type FrameName, type Origin, textOf } from '../sinks/message-id.js';
import type { SpoolSums, Ticket } from '../sinks/sink.js';
import { CatchUp } from '../spool/catch-up.js';
import { RecordView } from '../spool/record.js';
import { SinkQueues } from '../spool/sink-queues.js';
import { PARKED, type Spool } from '../spool/spool.js';
import type { WhenFull } from '../store/messages.js';
import type { ParkedMetrics } from '../telemetry/spool-metrics.js';
import { FrameView } from './frame-view.js';
import { numberOf, ParkedId } from './parked-id.js';
import { TakenOff } from './taken-off.js';
import { WayBack, type WayBackParts } from './way-back.js';

/** How often the metrics are set while something is aside. */
const SHOW_MS = 250;

export interface ParkingParts extends WayBackParts {
  readonly route: string;
  readonly spool: Spool;
  readonly whenFull: WhenFull;
  readonly metrics: ParkedMetrics;
  readonly report: (fault: Fault) => void;
  /** So many went through that had been put aside, and nothing is aside any more. */
  readonly through: (frames: number) => void;
  /** What finds no room on the disk is given back: to wait for it would keep the other routes of a source waiting. */
  readonly mayNotWait: () => boolean;
  /** It is. @param sequence in its source. Gives what has to be waited for until it is dealt with. */
  readonly giveBack: (
    frame: FrameCopy,
    sequence: number,
    id: FrameName,
    fault: Fault,
  ) => Promise<void> | undefined;
  /** There is something to take from `lot`, or room for more. */
  readonly look: () => void;
}

/** Nothing of it is a sink's: what becomes of the messages is counted there. */
const NO_MESSAGES = { messages: () => {}, dropped: () => {} };

/**
 * Frames of a route that wait on the disk while the breaker of its plugins is open, and until what waits has gone
 * through them: in their order, of each source. Fresh frames are behind them, and so go to the disk too, by the lot.
 */
export class Parking {
  readonly wayBack: WayBack;
  /** They do. Set when the ring of the route is empty: what is in it comes first. */
  diverts = false;
  readonly #parts: ParkingParts;
  readonly #queues: SinkQueues;
  readonly #catchUp: CatchUp;
  readonly #taken: TakenOff;
  readonly #view = new FrameView();
  readonly #record = new RecordView();
  #lot: UnservedRing | undefined;
  #holds = false;
  /** That have been brought back, when `through` was told last. */
  #told = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(parts: ParkingParts) {
    const { route, spool, whenFull, metrics, report, look } = parts;
    this.#parts = parts;
    this.wayBack = new WayBack({ ...parts, through: run => this.#taken.through(run) });
    const queues = new SinkQueues(
      {
        name: PARKED,
        route,
        spool,
        routeOf: () => ({ catchUp: 'ordered', whenFull }),
        metrics,
        report,
        notPut: fault => this.#failed(fault),
      },
      {
        found: queue => {
          this.#catchUp.add(queue);
          this.#hold();
        },
        durable: () => this.#catchUp.pump(),
        room: look,
      },
    );
    this.#queues = queues;
    this.#taken = new TakenOff((queue, first, last) => queues.removeTo(queue, first, last));
    this.#catchUp = new CatchUp(
      this.wayBack,
      Number.POSITIVE_INFINITY,
      {
        take: (queue, into) => spool.take(queue, into),
        lost: (queue, count) => queues.lost(queue, count),
        failed: thrown => queues.failed(thrown),
        laneOf: queue => queues.laneOf(queue),
      },
      { messages: NO_MESSAGES, spool: metrics, finished: run => this.#taken.finished(run) },
    );
    queues.start();
  }

  /** Frames are aside: others may not get to the plugins before them. */
  get holds(): boolean {
    return this.#holds;
  }

  /** Where fresh frames go while there are others before them. */
  get lot(): UnservedRing {
    this.#lot ??= new UnservedRing(this.#parts.look);
    return this.#lot;
  }

  /** What of the lot is to be put aside next. */
  next(): Delivery | undefined {
    return this.#lot?.next();
  }

  /** What has come to the lot so far can be taken. */
  settle(): void {
    this.#lot?.settle();
  }

  /** There is a disk to put them on. */
  get isOpen(): boolean {
    return this.#queues.isOpen;
  }

  /** Frames that are aside now, and why no more can be. */
  get sums(): SpoolSums {
    return this.#queues.sums();
  }

  /** Why a frame of this origin cannot be put aside now; undefined: it can, or it is worth a try. */
  refuses(origin: Origin): ErrorCode | undefined {
    if (this.#queues.isOpen && this.#queues.of(origin) === undefined) return 'SLUICE_SPOOL_QUEUES';
    return this.#queues.takes ? undefined : (this.#queues.fault?.code ?? 'SLUICE_STORE_FAILED');
  }

  /** A frame was refused as it could not be put aside. */
  refused(code: ErrorCode): void {
    this.#parts.metrics.refused(code);
  }

  /**
   * Puts a frame aside; false if there is no room, and `look` is called once there is.
   * @param id of the frame, @param trace that it came with, @param sequence in its source
   * @param ticket told when it is durable, @param always it finds room in memory
   */
  add(
    delivery: Delivery,
    frame: number,
    id: FrameId,
    trace: string | undefined,
    sequence: number,
    ticket: Ticket,
    always: boolean,
  ): boolean {
    const queue = this.#queues.of(id.origin);
    if (queue === undefined) return false;
    this.#view.load(delivery.slab, delivery.recordAt(frame));
    id.part = 0;
    const kept = trace === undefined ? id : new ParkedId(id, trace);
    const place = queue.last + 1;
    const lane = this.#queues.laneOf(queue);
    if (!lane.add(this.#view, kept, queue, place, ticket, undefined, sequence, always)) return false;
    queue.last = place;
    this.#catchUp.add(queue);
    this.#hold();
    return true;
  }

  /** More can be put aside. */
  get hasRoom(): boolean {
    return this.#queues.hasRoom;
  }

  /** No plugin has run a frame that was brought back: it is brought once more, before all others. */
  takeBack(sequence: number, frame: FrameCopy): void {
    this.wayBack.takeBack(sequence, frame);
    this.#hold();
  }

  /** Frames that are aside are brought back, as the ring takes them, or not. */
  run(isServed: boolean): void {
    if (isServed && !this.#stopped && this.wayBack.again()) this.#catchUp.start();
    else this.#catchUp.pause();
  }

  /** Little is aside that is not in memory. */
  get isNearlyThrough(): boolean {
    if (this.wayBack.isAgain) return false;
    for (const queue of this.#queues.all) if (queue.pending > 0 && !queue.isNearlyThrough) return false;
    return !this.#stopped;
  }

  /** What is left goes into the ring from memory; true: nothing is aside any more, and fresh frames go there again. */
  finish(): boolean {
    if (this.#lot?.isEmpty === false || this.wayBack.isAgain) return false;
    for (const queue of this.#queues.all) {
      if (queue.pending > 0 && !this.#catchUp.finish(queue, this.#queues.laneOf(queue))) return false;
    }
    this.#holds = this.diverts = false;
    const { brought } = this.wayBack;
    this.#parts.through(brought - this.#told);
    this.#told = brought;
    return true;
  }

  /** Nothing is brought back any more. */
  leave(): void {
    this.#stopped = true;
    this.#catchUp.end();
  }

  /** What has been through and is delivered by now is off the disk, and cannot come again, when what this gives has resolved. */
  mark(): () => Promise<void> {
    return this.#taken.mark();
  }

  /** What was put aside is durable, and what has been through does not come again. */
  async empty(): Promise<void> {
    await this.#queues.empty();
    await this.#taken.mark()();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#queues.stop();
    this.#taken.stop();
  }

  /** What cannot be put down waits for the disk, and with it all that comes behind it; or it is given back. */
  #failed(fault: Fault): void {
    const { metrics, mayNotWait, giveBack, report } = this.#parts;
    metrics.failed(fault.code);
    if (mayNotWait())
      this.#queues.giveBack((bytes, start, end, { name }, sequence) => {
        this.#record.load(bytes, start, end);
        metrics.refused(fault.code);
        return giveBack(frameOf(this.#record, name.source), sequence, nameOf(this.#record), fault);
      });
    report(fault);
  }

  #hold(): void {
    this.#holds = true;
    this.#timer ??= setInterval(() => this.#show(), SHOW_MS).unref();
  }

  /** Records are removed some time after they have gone through. */
  #show(): void {
    this.#queues.show();
    if (this.#holds || this.sums.records > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function nameOf(view: RecordView): FrameName {
  const text = textOf(view);
  const end = text.lastIndexOf('-') + 1;
  return { prefix: Buffer.from(text.slice(0, end), 'utf8'), sequence: numberOf(text.slice(end)).sequence };
}

/** A frame as the quarantine keeps it. */
function frameOf(view: RecordView, source: string): FrameCopy {
  const { bytes, topicStart, topicEnd, payloadStart, payloadEnd } = view;
  return {
    source,
    topic: bytes.toString('utf8', topicStart, topicEnd),
    timestamp: (BigInt(view.timestampHigh) << 32n) | BigInt(view.timestampLow),
    payload: Uint8Array.from(bytes.subarray(payloadStart, payloadEnd)),
    properties: Array.from({ length: view.propertyCount }, (_, index): [string, string] => {
      view.property(index);
      return [
        bytes.toString('utf8', view.keyStart, view.keyEnd),
        bytes.toString('utf8', view.valueStart, view.valueEnd),
      ];
    }),
  };
}
