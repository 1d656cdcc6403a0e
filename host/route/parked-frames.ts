import type { ErrorCode } from '../../runtime/index.js';
import type { Delivery, Ring, Slot, UnservedRing, WhenOpen } from '../../sandbox/index.js';
import { Parking } from '../parking/parking.js';
import type { FrameId } from '../sinks/message-id.js';
import type { SpoolSums } from '../sinks/sink.js';
import type { Spool } from '../spool/spool.js';
import type { WhenFull } from '../store/messages.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import type { Refusals } from './refusals.js';
import type { RouteSources } from './route-sources.js';
import type { SlabTicket } from './ticket/ticket.js';

export interface ParkedFramesParts {
  readonly route: string;
  readonly slot: Slot;
  readonly sources: RouteSources;
  readonly refusals: Refusals;
  readonly whenOpen: WhenOpen;
  readonly metrics: Metrics;
  readonly report: Reporter;
  /** Of what was taken from the slot nothing is in hand. */
  readonly isIdle: () => boolean;
  /** There is something to do for who walks. */
  readonly look: () => void;
}

/** The frames of one route that wait on the disk for its plugins: which do, and when they come back. */
export class ParkedFrames {
  readonly #parts: ParkedFramesParts;
  /** Undefined: there is no disk, and nothing ever waits there. */
  #parking: Parking | undefined;
  /** Why the frame that was asked about last is not taken though it was to wait. */
  #refuses: ErrorCode | undefined;
  /** Some have come back unseen that are not all dealt with: others may not get to the plugins before them. */
  #isGivenBack = false;

  constructor(parts: ParkedFramesParts) {
    this.#parts = parts;
  }

  /** There is a disk. @param whenFull what makes room there */
  open(spool: Spool, whenFull: WhenFull): void {
    const { route, slot, sources, refusals, metrics, report, look } = this.#parts;
    const parking = new Parking({
      route,
      spool,
      whenFull,
      metrics: metrics.parked(route),
      mayNotWait: () => this.#mayNotWait,
      giveBack: (...given) => refusals.giveBack(...given),
      report: fault => {
        report.fault(fault, { route });
        // What waits for the disk may have to go elsewhere.
        look();
      },
      through: frames => {
        const text = `${frames} frames that waited on the disk have gone through the plugins of ${route}`;
        report.info(text, { route });
      },
      look,
      // An array of them for each frame would be made else.
      push: (sequence, source, topic, time, bytes, start, end, properties) =>
        slot.ring.push(number, sequence, source, topic, time, bytes, start, end, properties),
      flush: () => slot.turnEnded(),
      originOf: source => sources.originOf(source),
    });
    const number = sources.attachWayBack(parking.wayBack);
    this.#parking = parking;
  }

  /** There is a disk, and it is usable. */
  get isOpen(): boolean {
    return this.#parking?.isOpen === true;
  }

  /** Some are there, and others may not get to the plugins before them. */
  get holds(): boolean {
    return this.#parking?.holds === true;
  }

  /** Fresh ones may not get to the plugins before others: those, or some that came back unseen. */
  get keepsBack(): boolean {
    return this.#isGivenBack || this.holds;
  }

  /** Fresh ones go there too. */
  get diverts(): boolean {
    return this.#parking?.diverts === true;
  }

  /** What waits there, and why no more can; undefined: there is no disk. */
  get sums(): SpoolSums | undefined {
    return this.#parking?.sums;
  }

  /** Where a frame of now goes, behind those that are there; undefined: nowhere yet. */
  get behind(): Ring | UnservedRing | undefined {
    const { slot } = this.#parts;
    const parking = this.#parking;
    if (parking === undefined || !this.keepsBack) return slot.ring;
    if (!parking.diverts) {
      if (!this.#mayDivert) return slot.state === 'open' || slot.givesBack ? slot.ring : undefined;
      this.#look();
      if (!parking.holds) return slot.ring;
      parking.diverts = true;
    }
    // What is in the lot finds room whatever happens.
    return parking.hasRoom ? parking.lot : undefined;
  }

  /** The sources have handed over what they had for now. */
  turnEnded(): void {
    if (this.#parking?.diverts === true) this.#parking.lot.publish();
  }

  /** Fresh ones that are to go there too, in their order behind those that do. */
  next(): Delivery | undefined {
    return this.#parking?.next();
  }

  /** What `next` gave is done with. */
  ack(): void {
    this.#parking?.lot.ack();
  }

  /**
   * A frame that no plugin was asked about waits on the disk: a breaker is open, or others wait before it.
   * @param isFresh it came by `next`, and has not been in the ring of the slot
   */
  takes(delivery: Delivery, frame: number, id: FrameId, isFresh: boolean): boolean {
    const { sources, whenOpen } = this.#parts;
    const parking = this.#parking;
    this.#refuses = undefined;
    if (parking === undefined || delivery.isFlush) return false;
    if (sources.at(delivery.originOf(frame))?.replays === true) return false;
    if (!isFresh && (!parking.isOpen || whenOpen === 'refuse')) return false;
    const refuses = parking.refuses(id.origin);
    if (refuses === undefined || (refuses !== 'SLUICE_SPOOL_QUEUES' && !this.#mayNotWait)) return true;
    this.#refuses = refuses;
    return false;
  }

  /** The frame that it does not take goes elsewhere. It may be asked about many times before there is room for that. */
  turnedAway(): void {
    if (this.#refuses !== undefined) this.#parking?.refused(this.#refuses);
  }

  /** One that came from the disk was not run: its place there is still its own, and it is the next to come. */
  takesBack(delivery: Delivery, frame: number): boolean {
    if (delivery.outcome.code !== 'SLUICE_BREAKER_OPEN' || !this.#parts.sources.isBack(delivery, frame))
      return false;
    this.#parking?.takeBack(delivery.sequenceOf(frame), delivery.frame(frame));
    return true;
  }

  /** Puts one down that it takes; false: there is no room, and `look` is called once there is. */
  put(delivery: Delivery, frame: number, id: FrameId, ticket: SlabTicket): boolean {
    ticket.take();
    const sequence = delivery.sequenceOf(frame);
    // Where plugins serve again what is on a full disk leaves it by the ring, and so the ring may not wait for the disk.
    const { aside } = ticket;
    const trace = this.#parts.sources.trace(delivery, frame);
    if (this.#parking?.add(delivery, frame, id, trace, sequence, aside, this.#isServed) === true) return true;
    ticket.settle(1);
    return false;
  }

  /**
   * Brings them back into the ring as long as it is served. True: few are left, and what has come behind them so far can
   * be walked; then `finish`.
   */
  bringBack(): boolean {
    const parking = this.#parking;
    if (parking === undefined) return false;
    this.#look();
    if (!parking.holds) return false;
    if (!parking.diverts && this.#mayDivert) parking.diverts = true;
    const goesBack = this.#goesBack;
    parking.run(goesBack);
    if (!goesBack || !parking.isNearlyThrough) return false;
    parking.settle();
    return true;
  }

  /** Where none is left, what comes goes into the ring again. */
  finish(): void {
    if (this.#parking?.finish() === true) this.#parts.slot.turnEnded();
  }

  /** None comes back any more. */
  leave(): void {
    this.#parking?.leave();
  }

  /** What has come behind others can be taken. */
  settle(): void {
    this.#parking?.settle();
  }

  /** What has been through and is delivered by now is off the disk, and cannot come again, when what this gives has resolved. */
  mark(): () => Promise<void> {
    return this.#parking?.mark() ?? (() => Promise.resolve());
  }

  /** What was put down is durable. */
  async empty(): Promise<void> {
    await this.#parking?.empty();
  }

  stop(): void {
    this.#parking?.stop();
  }

  /** What was in the ring before is through it, or aside too. */
  get #mayDivert(): boolean {
    return this.#parts.isIdle() && this.#parts.slot.ring.inUse === 0;
  }

  /** For a disk that takes nothing: another route would have to wait too. Where what is on it goes back, there is room soon. */
  get #mayNotWait(): boolean {
    return !this.#goesBack && this.#parts.sources.holdOthersUp;
  }

  get #goesBack(): boolean {
    return this.diverts && !this.#isGivenBack && this.#isServed;
  }

  get #isServed(): boolean {
    const { state } = this.#parts.slot;
    return state === 'serving' || state === 'recovering';
  }

  #look(): void {
    if (this.#parts.slot.givesBack) this.#isGivenBack = true;
    else if (this.#isGivenBack && this.#mayDivert) this.#isGivenBack = false;
  }
}
