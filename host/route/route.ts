import { type Fault, type FrameCopy, type Interned, isFault } from '../../runtime/index.js';
import {
  type ChainSpec,
  type Delivery,
  type Ring,
  type SandboxPool,
  Slot,
  type SlotChange,
  type UnservedRing,
  unless,
  type WhenOpen,
} from '../../sandbox/index.js';
import { Parking } from '../parking/parking.js';
import { FrameId, type Origin, type Origins } from '../sinks/message-id.js';
import type { SpoolSums } from '../sinks/sink.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import { BreakerReport } from './breaker-report.js';
import { ChainReport } from './chain-report.js';
import type { Isolate, RouteOptions, RouteSink, RouteSource } from './route-parts.js';
import { StateGate } from './state-gate.js';
import { StateReport } from './state-report.js';
import type { SlabTicket } from './ticket.js';
import { TicketLine } from './ticket-line.js';

/** Frames that are on their way into the quarantine at once: beyond them the route waits. */
const MOST_KEEPING = 1000;
/** The same in bytes: frames can be large. */
const MOST_KEEPING_BYTES = 16 * 2 ** 20;

/**
 * The one loop between a slot and its sinks: results walk on in order; a slab goes back (ack) when every
 * sink has taken its messages, and its frames are delivered when every sink has confirmed them.
 */
export class Route {
  readonly name: string;
  readonly slot: Slot;
  readonly #sources: RouteSource[] = [];
  /** Of each source. */
  readonly #origins: Origin[] = [];
  readonly #makeOrigins: Origins;
  readonly #sinks: readonly RouteSink[];
  readonly #report: Reporter;
  readonly #isolate: Isolate;
  readonly #options: RouteOptions;
  readonly #breakers: BreakerReport;
  readonly #slabs: { set(value: number): void };
  readonly #batchLimit: { set(value: number): void };
  readonly #chain: ChainReport;
  readonly #tickets: TicketLine;
  readonly #id: FrameId;
  /** Where frames wait on the disk; undefined: there is none. */
  readonly #parking: Parking | undefined;
  #parked = -1;
  /** What flushes gave out, for ids. */
  readonly #own: Origin;
  #ownMessages = 0;
  /** What a gateway before has left is known. */
  #remembered: Promise<void> | undefined;
  #delivery: Delivery | undefined;
  /** It is not of the ring of the slot but of the lot. */
  #isAside = false;
  #ticket: SlabTicket | undefined;
  /** Last slab of the ring that is taken as a whole. */
  #slab = -1;
  #keeping = 0;
  #keepingBytes = 0;
  #frame = 0;
  #message = 0;
  #sink = 0;
  /** Since when no frame was taken for lack of a slab, performance.now(). */
  #fullSince: number | undefined;
  #pumping = false;
  /** Why no plugin serves it, though no breaker is open. */
  #unserved: Fault | undefined;
  #emptied: (() => void) | undefined;

  constructor(
    name: string,
    pool: SandboxPool,
    sinks: readonly RouteSink[],
    origins: Origins,
    metrics: Metrics,
    report: Reporter,
    isolate: Isolate,
    options: RouteOptions = {},
  ) {
    this.name = name;
    this.#isolate = isolate;
    this.#options = options;
    this.#breakers = new BreakerReport(name, metrics, report, () => this.#parking?.isOpen === true);
    this.#makeOrigins = origins;
    this.#own = origins.make(name, '', false);
    this.#id = new FrameId(this.#own);
    this.#sinks = sinks;
    this.#report = report;
    this.#slabs = metrics.slabsInUse(name);
    this.#batchLimit = metrics.batchLimit(name);
    const kept = new StateGate(-1, states => options.states?.()?.save(name, states));
    const states = new StateReport(name, metrics, report);
    const chain = new ChainReport(name, metrics, report);
    this.#chain = chain;
    this.#tickets = new TicketLine(
      sinks.map(sink => sink.metrics),
      () => this.#sources.length,
      (origin, sequence) => this.#sources[origin]?.delivered(sequence, this),
      slab => kept.delivered(slab),
    );
    this.slot = new Slot(pool, {
      committed: () => this.pump(),
      fault: (fault, plugin, frames, again) => chain.fault(fault, plugin, frames, again),
      restarted: (fault, plugin) => chain.restarted(fault, plugin),
      failed: (fault, retryMs) => chain.notStarted(fault, retryMs),
      log: (plugin, lines, lost) => chain.log(plugin, lines, lost),
      changed: change => this.#changed(change),
      restored: restored => states.restored(restored),
      saved: (states, upTo) => kept.put(states, upTo),
      unsaved: (fault, plugin) => states.unsaved(fault, plugin, chain.versionOf(plugin)),
      whenOpen: hasFallback => this.#whenOpen(hasFallback),
      parks: () => this.#parking?.isOpen === true && !this.#parking.diverts,
    });
    this.#parking = this.#makeParking(metrics);
    if (this.#parking !== undefined) this.#parked = this.attach(this.#parking.wayBack);
  }

  #makeParking(metrics: Metrics): Parking | undefined {
    const { spool, whenFull = 'keep-all' } = this.#options;
    if (spool === undefined) return undefined;
    const { name } = this;
    return new Parking({
      route: name,
      spool,
      whenFull,
      metrics: metrics.parked(name),
      mayNotWait: () => this.#mayNotWait,
      giveBack: (frame, sequence, fault) => this.#giveBack(frame, sequence, fault),
      report: fault => {
        this.#report.fault(fault, { route: name });
        // What waits for the disk may have to go elsewhere.
        this.pump();
      },
      through: frames =>
        this.#report.info(
          `${frames} frames that waited on the disk have gone through the plugins of ${name}`,
          {
            route: name,
          },
        ),
      look: () => this.pump(),
      push: (...frame) => this.slot.ring.push(this.#parked, ...frame),
      flush: () => this.slot.turnEnded(),
      originOf: source => this.#originOf(source),
    });
  }

  /** Also of one that is not configured any more. */
  #originOf(source: string): Origin {
    const known = this.#sources.findIndex(({ name }) => name === source);
    return this.#origins[known] ?? this.#makeOrigins.make(this.name, source, false);
  }

  /** Groups of messages that the sinks have not confirmed: bounded by what their windows hold. */
  get unconfirmed(): number {
    return this.#tickets.length;
  }

  /** Frames of it wait on the disk. */
  get hasParked(): boolean {
    return this.#parking?.holds === true;
  }

  /** What of it waits there, and why no more can; undefined: there is no disk. */
  get parked(): SpoolSums | undefined {
    return this.#parking?.sums;
  }

  /** What serves, in the order of the chain; empty before the first. */
  get plugins(): readonly { readonly name: string; readonly version: string }[] {
    return this.#chain.stages;
  }

  /** Registers a source and gives its number in `push`. */
  attach(source: RouteSource): number {
    const { name, replays = false } = source;
    // No source of a configuration has such a name: what is replayed is numbered by itself.
    const place = replays ? '~replay' : name;
    this.#origins.push(this.#makeOrigins.make(this.name, place, replays || source.routes > 0));
    return this.#sources.push(source) - 1;
  }

  hasRoom(bytes: number): boolean {
    const room = this.#entrance?.hasRoom(bytes) === true;
    if (!room) this.#full();
    return room;
  }

  /** Where a frame of now goes; undefined: nowhere yet. Those that are aside come before it. */
  get #entrance(): Ring | UnservedRing | undefined {
    const { ring, state } = this.slot;
    const parking = this.#parking;
    if (parking === undefined || !parking.holds) return ring;
    if (parking.diverts) return parking.lot;
    if (!this.#mayDivert) return state === 'open' || this.slot.givesBack ? ring : undefined;
    parking.diverts = true;
    return parking.lot;
  }

  /** What was in the ring before is through it, or aside too. */
  get #mayDivert(): boolean {
    return this.#delivery === undefined && this.slot.ring.inUse === 0;
  }

  #full(): void {
    this.#fullSince ??= performance.now();
  }

  /** Milliseconds since when the route has been full without giving a slab back; 0 if it is not. */
  get fullForMs(): number {
    return this.#fullSince === undefined ? 0 : performance.now() - this.#fullSince;
  }

  push(
    origin: number,
    sequence: number,
    source: Interned,
    topic: Interned,
    timestampMs: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    properties: Interned | undefined,
  ): boolean {
    const { ring } = this.slot;
    // What is replayed came before all that waits, and need not wait behind it.
    const waits = this.#parking?.holds === true && this.#sources[origin]?.replays !== true;
    const to = waits ? this.#entrance : ring;
    const taken = to?.push(origin, sequence, source, topic, timestampMs, bytes, start, end, properties);
    if (taken === true) return true;
    this.#full();
    return false;
  }

  /** The source has handed over what it had for now. */
  turnEnded(): void {
    this.slot.turnEnded();
    if (this.#parking?.diverts === true) this.#parking.lot.publish();
  }

  /** Runs another chain from here on. @throws SluiceError; the chain that serves stays */
  async swap(spec: ChainSpec): Promise<void> {
    const first = this.slot.generation === 0;
    // One promise for all, so that swaps stay in their order.
    this.#remembered ??= this.#remember();
    await this.#remembered;
    await this.slot.swap(spec);
    if (!first) this.#chain.swapped();
  }

  /**
   * No plugin serves it until a swap, for this reason: its frames go where they would go if a breaker were open, and who
   * is told of it is told the reason.
   */
  leaveUnserved(fault: Fault): void {
    this.#unserved = fault;
    this.slot.leaveUnserved();
  }

  async #remember(): Promise<void> {
    this.slot.remember((await this.#options.states?.()?.load(this.name)) ?? []);
  }

  #changed(change: SlotChange): void {
    if (change.kind === 'serving') {
      this.#unserved = undefined;
      this.#chain.serves(change.generation);
    }
    this.#breakers.changed(change);
    this.#options.changed?.(change);
    if (this.#parking?.holds === true) this.pump();
  }

  /** Frames may not wait where their source would then keep other routes waiting: in the ring. */
  #whenOpen(hasFallback: boolean): WhenOpen {
    const { whenOpen = 'fallback' } = this.#options;
    if (whenOpen === 'refuse' || (whenOpen === 'fallback' && hasFallback)) return whenOpen;
    if (this.#parking?.isOpen === true) return 'spool';
    return this.#sources.some(source => source.holdsOthersUp === true) ? 'refuse' : 'spool';
  }

  /**
   * Lets the chain finish what was pushed and hands all of it to the sinks. When the signal aborts, the chain ends at the
   * border of the batch that it is at, or by force if it does not get there. The sinks have to be running still.
   */
  async stop(signal: AbortSignal): Promise<void> {
    const { state } = this.slot;
    this.#parking?.leave();
    // In the ordinary way first: a guest that fails now is replaced, and what it was at is run again.
    if (state === 'serving' || state === 'recovering') await unless(signal, this.#empty());
    await this.slot.stop(signal);
    this.#parking?.settle();
    this.pump();
    await unless(signal, this.#empty());
    await unless(signal, this.#parking?.empty() ?? Promise.resolve());
  }

  /** After the sinks have stopped: nothing more is confirmed. */
  close(): void {
    this.#parking?.stop();
  }

  /** Moves results on until there are none or a sink is full. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#move();
    if (this.#parking?.holds === true) this.#bringBack(this.#parking);
    this.#pumping = false;
    if (this.#isEmpty) this.#emptied?.();
    this.#slabs.set(this.slot.ring.inUse);
    this.#batchLimit.set(this.slot.ring.batchLimit);
    this.#chain.memory(this.slot.memoryBytes);
    for (const { sink } of this.#sinks) sink.flush();
  }

  #move(): void {
    for (;;) {
      if (this.#delivery === undefined && !this.#begin()) return;
      if (!this.#walk()) return;
      this.#finish();
    }
  }

  /** What is aside goes into the ring as long as it is served, and then what comes goes there again. */
  #bringBack(parking: Parking): void {
    const { state } = this.slot;
    if (!parking.diverts && this.#mayDivert) parking.diverts = true;
    const isServed = parking.diverts && (state === 'serving' || state === 'recovering');
    parking.run(isServed);
    if (!isServed || !parking.isNearlyThrough) return;
    parking.settle();
    this.#move();
    if (parking.finish()) this.slot.turnEnded();
  }

  /** Nothing waits for the chain or for a sink. */
  get #isEmpty(): boolean {
    const { ring, state } = this.slot;
    return this.#delivery === undefined && (state === 'stopped' || ring.outstanding + ring.waiting === 0);
  }

  #empty(): Promise<void> {
    if (this.#isEmpty) return Promise.resolve();
    return new Promise(resolve => {
      this.#emptied = resolve;
    });
  }

  #begin(): boolean {
    const served = this.slot.next();
    const delivery = served ?? this.#parking?.next();
    if (delivery === undefined) return false;
    this.#isAside = served === undefined;
    this.#delivery = delivery;
    // What comes of the lot is in no state.
    if (!this.#isAside) this.#slab = delivery.isPiece ? this.slot.ring.taken - 2 : this.slot.ring.taken - 1;
    this.#ticket = this.#tickets.open(this.#slab);
    this.#frame = delivery.begin;
    this.#message = 0;
    this.#sink = 0;
    if (!this.#isAside) this.#chain.batch(delivery);
    return true;
  }

  /** Hands messages to the sinks; false when one is full, or the quarantine (it calls back, and the walk goes on where it was). */
  #walk(): boolean {
    const delivery = this.#delivery as Delivery;
    const ticket = this.#ticket as SlabTicket;
    const { outcome, message, slab } = delivery;
    const { end, isFlush } = delivery;
    const id = this.#id;
    for (; this.#frame < end; this.#frame++) {
      delivery.load(this.#frame);
      if (isFlush) id.stand(this.#own, this.#ownMessages);
      else {
        const origin = delivery.originOf(this.#frame);
        const sequence = delivery.sequenceOf(this.#frame);
        id.stand(this.#origins[origin] as Origin, sequence);
        (this.#sources[origin] as RouteSource).names?.name(sequence, id);
      }
      if (outcome.code !== undefined) {
        if (outcome.code === 'SLUICE_BREAKER_OPEN' && this.#isToWait(delivery)) {
          ticket.take();
          if (
            !(this.#parking as Parking).add(
              delivery,
              this.#frame,
              id,
              this.#sequenceOf(delivery),
              ticket.aside,
            )
          ) {
            ticket.settle(1);
            return false;
          }
        } else {
          if (this.#keepsMost) return false;
          this.#refuse(delivery, this.#frame);
        }
      } else if (outcome.messages === 0 && !isFlush) this.#chain.silent();
      for (; this.#message < outcome.messages; this.#message++) {
        message.load(slab, outcome.offset + this.#message * 48);
        id.part = isFlush ? 0 : this.#message;
        if (isFlush) id.sequence = this.#ownMessages + 1;
        for (; this.#sink < this.#sinks.length; this.#sink++) {
          // Counted first: a sink may confirm or drop at once.
          ticket.take();
          if (
            (this.#sinks[this.#sink] as RouteSink).sink.write(
              message,
              ticket.hands[this.#sink] as SlabTicket['hands'][number],
              id,
            )
          )
            continue;
          ticket.settle(1);
          return false;
        }
        this.#sink = 0;
        if (isFlush) this.#ownMessages++;
      }
      this.#message = 0;
      if (!isFlush) ticket.last[delivery.originOf(this.#frame)] = delivery.sequenceOf(this.#frame);
    }
    return true;
  }

  #finish(): void {
    const ticket = this.#ticket as SlabTicket;
    this.#delivery = undefined;
    this.#ticket = undefined;
    if (this.#isAside) this.#parking?.lot.ack();
    else this.slot.ack();
    ticket.seal();
    if (this.#fullSince === undefined) return;
    this.#fullSince = undefined;
    for (const source of this.#sources) source.resume();
  }

  /** Its frames were given back because a breaker is open, or others wait before them. */
  #isToWait(delivery: Delivery): boolean {
    const parking = this.#parking;
    if (parking === undefined || delivery.isFlush) return false;
    if (this.#sources[delivery.originOf(this.#frame)]?.replays === true) return false;
    if (!this.#isAside && (!parking.isOpen || this.#whenOpen(false) !== 'spool')) return false;
    const refuses = parking.refuses(this.#id.origin);
    if (refuses === undefined || (refuses !== 'SLUICE_SPOOL_QUEUES' && !this.#mayNotWait)) return true;
    parking.refused(refuses);
    return false;
  }

  /** What its source calls the frame; 0: it came from the disk, and its source has forgotten it. */
  #sequenceOf(delivery: Delivery): number {
    return delivery.originOf(this.#frame) === this.#parked ? 0 : delivery.sequenceOf(this.#frame);
  }

  /** For a disk that takes nothing: another route would have to wait too. Where what is on it goes back, there is room soon. */
  get #mayNotWait(): boolean {
    const { state } = this.slot;
    const goesBack = this.#parking?.diverts === true && (state === 'serving' || state === 'recovering');
    return !goesBack && this.#sources.some(source => source.holdsOthersUp === true);
  }

  /** A frame that was to wait on the disk has found no room there. */
  #giveBack(frame: FrameCopy, sequence: number, { message: why }: Fault): Promise<void> | undefined {
    const { name = this.name, version = '' } = this.#chain.stages[0] ?? {};
    const { code, message, plugin = name } = this.#givenBack(`the circuit breaker of ${name} is open`);
    const fault: Fault = { code, message: `${message}, and the frame cannot wait on the disk: ${why}` };
    const source = this.#sources.find(({ name, replays }) => name === frame.source && replays !== true);
    source?.refused(plugin, fault);
    // What was on the disk before is its source's no more, and is nowhere else.
    if (sequence > 0 && source?.sendBack(sequence, code) === true) return undefined;
    return this.#isolate({ frame, route: this.name, plugin, version, stage: 0, fault });
  }

  #refuse(delivery: Delivery, frame: number): void {
    const { code, stage } = delivery.outcome;
    if (code === undefined) return;
    const plugin = this.#chain.stages[stage];
    const name = plugin?.name ?? this.name;
    const guilty = isFault(code);
    if (guilty) plugin?.metrics.faulted(plugin.version, code);
    const message = delivery.outcome.text(delivery.slab);
    if (delivery.isFlush) {
      this.#report.fault({ code, message, plugin: name }, { route: this.name });
      return;
    }
    const source = this.#sources[delivery.originOf(frame)];
    if (code === 'SLUICE_BREAKER_OPEN') {
      this.#notRun(delivery, this.#givenBack(message), stage);
      return;
    }
    this.#cameFrom(source)?.refused(name, { code, message });
    const copy = delivery.frame(frame);
    const bytes = Buffer.from(copy.payload);
    const payload = `${bytes.toString('hex', 0, 64)}${bytes.length > 64 ? `... (${bytes.length} bytes)` : ''}`;
    const where = { route: this.name, source: this.#cameFrom(source)?.name ?? '?' };
    const poisoned = guilty && source?.replays !== true;
    const fault = {
      code,
      message: poisoned ? `${message}; the frame goes into quarantine` : message,
      plugin: name,
    };
    this.#report.fault(fault, where, guilty ? 'error' : 'warn', { payload });
    if (poisoned) this.#keep(copy, name, stage, { code, message });
  }

  /** Why no plugin was asked. */
  #givenBack(message: string): Fault {
    return this.#unserved ?? { code: 'SLUICE_BREAKER_OPEN', message };
  }

  /** That nobody serves was told of, once. */
  #notRun(delivery: Delivery, fault: Fault, stage: number): void {
    const source = this.#sources[delivery.originOf(this.#frame)];
    const plugin = fault.plugin ?? this.#chain.stages[stage]?.name ?? this.name;
    this.#cameFrom(source)?.refused(plugin, fault);
    if (source?.sendBack(delivery.sequenceOf(this.#frame), fault.code) === false)
      this.#keep(delivery.frame(this.#frame), plugin, stage, fault);
  }

  /** What has waited on the disk is still its source's; the id stands on the frame. */
  #cameFrom(source: RouteSource | undefined): RouteSource | undefined {
    if (source !== this.#parking?.wayBack) return source;
    return this.#sources.find(({ name }) => name === this.#id.origin.source) ?? source;
  }

  get #keepsMost(): boolean {
    return this.#keeping >= MOST_KEEPING || this.#keepingBytes >= MOST_KEEPING_BYTES;
  }

  /** Its source is acknowledged when it is on the disk: it was taken, and must not be lost. */
  #keep(frame: FrameCopy, plugin: string, stage: number, fault: Fault): void {
    const ticket = this.#ticket as SlabTicket;
    ticket.take();
    const bytes = frame.payload.length;
    this.#keeping++;
    this.#keepingBytes += bytes;
    const version = this.#chain.stages[stage]?.version ?? '';
    const done = this.#isolate({ frame, route: this.name, plugin, version, stage, fault });
    void done.then(() => {
      ticket.settle(1);
      const waited = this.#keepsMost;
      this.#keeping--;
      this.#keepingBytes -= bytes;
      if (waited && !this.#keepsMost) this.pump();
    });
  }
}
