import { type Fault, type Interned, isFault } from '../../runtime/index.js';
import {
  type ChainSpec,
  type Delivery,
  type Generation,
  type LogLine,
  type SandboxPool,
  Slot,
  type SlotChange,
  type WhenOpen,
} from '../../sandbox/index.js';
import { FrameId, type Origin, type Origins } from '../sinks/message-id.js';
import type { Sink } from '../sinks/sink.js';
import type { FrameNames } from '../sources/source.js';
import type { Poison } from '../store/quarantine.js';
import type { Metrics, PluginMetrics, SinkMetrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import { BreakerReport } from './breaker-report.js';
import { StateReport } from './state-report.js';
import { SlabTicket } from './ticket.js';

export interface RouteSink {
  readonly name: string;
  readonly sink: Sink;
  readonly metrics: SinkMetrics;
}

/** A source as the route sees it: told when it may go on, and what has been delivered. */
export interface RouteSource {
  readonly name: string;
  /** Where this route does not take its frames, it feeds no other either. */
  readonly holdsOthersUp?: boolean;
  /** How many routes it feeds already. */
  readonly routes: number;
  /** Its devices count their frames themselves. */
  readonly names?: FrameNames | undefined;
  resume(): void;
  /** Every frame of this route up to `sequence` is confirmed. */
  delivered(sequence: number, route: Route): void;
  refused(plugin: string, fault: Fault): void;
  /** Its frames are in quarantine already, and stay there when they are refused again. */
  readonly replays?: boolean;
}

/** Resolves when the frame is safe, or when it is known (and said) that it cannot be. */
export type Isolate = (poison: Poison) => Promise<void>;

export interface RouteOptions {
  /** Where frames go while a breaker is open. Default `fallback`. */
  readonly whenOpen?: WhenOpen;
  /** Told of every change in who serves, after the route itself has taken note. */
  readonly changed?: (change: SlotChange) => void;
}

/** Least time that a chain gets to end by itself. */
const STOP_MS = 100;

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
  readonly #metrics: Metrics;
  readonly #isolate: Isolate;
  readonly #options: RouteOptions;
  readonly #breakers: BreakerReport;
  readonly #slabs: { set(value: number): void };
  #plugins: readonly { name: string; version: string; metrics: PluginMetrics }[] = [];
  /** Tickets in the order of their slabs; those at the front close first. */
  readonly #tickets: SlabTicket[] = [];
  readonly #spare: SlabTicket[] = [];
  readonly #id: FrameId;
  /** What flushes gave out, for ids. */
  readonly #own: Origin;
  #ownMessages = 0;
  #delivery: Delivery | undefined;
  #ticket: SlabTicket | undefined;
  #frame = 0;
  #message = 0;
  #sink = 0;
  /** Since when no frame was taken for lack of a slab, performance.now(). */
  #fullSince: number | undefined;
  #pumping = false;
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
    this.#breakers = new BreakerReport(name, metrics, report);
    this.#makeOrigins = origins;
    this.#own = origins.make(name, '', false);
    this.#id = new FrameId(this.#own);
    this.#sinks = sinks;
    this.#metrics = metrics;
    this.#report = report;
    this.#slabs = metrics.slabsInUse(name);
    const states = new StateReport(name, metrics, report);
    this.slot = new Slot(pool, {
      committed: () => this.pump(),
      fault: (fault, plugin, frames) => this.#fault(fault, plugin, frames),
      restarted: (fault, plugin) => this.#restarted(fault, plugin),
      failed: (fault, retryMs) =>
        this.#report.fault(
          { ...fault, message: `${fault.message}; trying again in ${retryMs} ms` },
          { route: name },
          'error',
        ),
      log: (plugin, lines, lost) => this.#log(plugin, lines, lost),
      changed: change => this.#changed(change),
      restored: restored => states.restored(restored),
      unsaved: (fault, plugin) => {
        const known = this.#plugins.find(({ name }) => name === plugin);
        states.unsaved(fault, plugin, known?.version ?? '');
      },
      whenOpen: hasFallback => this.#whenOpen(hasFallback),
    });
  }

  /** Groups of messages that the sinks have not confirmed: bounded by what their windows hold. */
  get unconfirmed(): number {
    return this.#tickets.length;
  }

  /** What serves, in the order of the chain; empty before the first. */
  get plugins(): readonly { readonly name: string; readonly version: string }[] {
    return this.#plugins;
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
    const room = this.slot.ring.hasRoom(bytes);
    if (!room) this.#full();
    return room;
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
    const taken = this.slot.ring.push(
      origin,
      sequence,
      source,
      topic,
      timestampMs,
      bytes,
      start,
      end,
      properties,
    );
    if (!taken) this.#full();
    return taken;
  }

  /** The source has handed over what it had for now. */
  turnEnded(): void {
    this.slot.turnEnded();
  }

  /** Runs another chain from here on. @throws SluiceError; the chain that serves stays */
  async swap(spec: ChainSpec): Promise<void> {
    const first = this.slot.generation === 0;
    await this.slot.swap(spec);
    if (!first) for (const { metrics } of this.#plugins) metrics.swapped();
  }

  #serves({ spec }: Generation): void {
    this.#plugins = spec.stages.map(({ plugin, version }) => ({
      name: plugin,
      version,
      metrics: this.#metrics.plugin(plugin),
    }));
  }

  #changed(change: SlotChange): void {
    if (change.kind === 'serving') this.#serves(change.generation);
    this.#breakers.changed(change);
    this.#options.changed?.(change);
  }

  /** Frames may not wait where their source would then keep other routes waiting. */
  #whenOpen(hasFallback: boolean): WhenOpen {
    const { whenOpen = 'fallback' } = this.#options;
    if (whenOpen === 'refuse' || (whenOpen === 'fallback' && hasFallback)) return whenOpen;
    return this.#sources.some(source => source.holdsOthersUp === true) ? 'refuse' : 'spool';
  }

  /**
   * Lets the chain finish what was pushed and hands all of it to the sinks; gives up after `patienceMs`.
   * The sinks have to be running still.
   */
  async stop(patienceMs: number): Promise<void> {
    const end = performance.now() + patienceMs;
    const { state } = this.slot;
    // In the ordinary way first: a guest that fails now is replaced, and what it was at is run again.
    if (state === 'serving' || state === 'recovering') await within(patienceMs, this.#empty());
    const rest = Math.max(end - performance.now(), STOP_MS);
    // A slot waits for its swaps, and a swap for room in the sinks: that may never come.
    await within(rest + STOP_MS, this.slot.stop(rest));
    this.pump();
    await within(end - performance.now(), this.#empty());
  }

  /** Moves results on until there are none or a sink is full. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      if (this.#delivery === undefined && !this.#begin()) break;
      if (!this.#walk()) break;
      this.#finish();
    }
    this.#pumping = false;
    if (this.#isEmpty) this.#emptied?.();
    this.#slabs.set(this.slot.ring.inUse);
    for (const { sink } of this.#sinks) sink.flush();
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
    const delivery = this.slot.next();
    if (delivery === undefined) return false;
    this.#delivery = delivery;
    this.#ticket = this.#spare.pop() ?? this.#newTicket();
    this.#ticket.reset();
    this.#tickets.push(this.#ticket);
    this.#frame = delivery.begin;
    this.#message = 0;
    this.#sink = 0;
    if (!delivery.isFlush)
      for (const { metrics } of this.#plugins) metrics.batch(delivery.end - delivery.begin);
    return true;
  }

  /** Hands messages to the sinks; false when one is full (it calls back, and the walk goes on where it was). */
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
      if (outcome.code !== undefined) this.#refuse(delivery, this.#frame);
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
    this.slot.ack();
    ticket.seal();
    if (this.#fullSince === undefined) return;
    this.#fullSince = undefined;
    for (const source of this.#sources) source.resume();
  }

  #refuse(delivery: Delivery, frame: number): void {
    const { code, stage } = delivery.outcome;
    if (code === undefined) return;
    const plugin = this.#plugins[stage];
    const name = plugin?.name ?? this.name;
    const guilty = isFault(code);
    if (guilty) plugin?.metrics.faulted(plugin.version, code);
    const message = delivery.outcome.text(delivery.slab);
    if (delivery.isFlush) {
      this.#report.fault({ code, message, plugin: name }, { route: this.name });
      return;
    }
    const source = this.#sources[delivery.originOf(frame)];
    source?.refused(name, { code, message });
    // The opening was told of, once.
    if (code === 'SLUICE_BREAKER_OPEN') return;
    const copy = delivery.frame(frame);
    const bytes = Buffer.from(copy.payload);
    const payload = `${bytes.toString('hex', 0, 64)}${bytes.length > 64 ? `... (${bytes.length} bytes)` : ''}`;
    const where = { route: this.name, source: source?.name ?? '?' };
    const poisoned = guilty && source?.replays !== true;
    const fault = {
      code,
      message: poisoned ? `${message}; the frame goes into quarantine` : message,
      plugin: name,
    };
    this.#report.fault(fault, where, guilty ? 'error' : 'warn', { payload });
    if (!poisoned) return;
    // Its source is acknowledged when it is on the disk: it was taken, and must not be lost.
    const ticket = this.#ticket as SlabTicket;
    ticket.take();
    const version = plugin?.version ?? '';
    void this.#isolate({
      frame: copy,
      route: this.name,
      plugin: name,
      version,
      stage,
      fault: { code, message },
    }).then(() => ticket.settle(1));
  }

  #newTicket(): SlabTicket {
    return new SlabTicket(
      this.#sinks.map(({ metrics }) => metrics),
      this.#sources.length,
      () => this.#close(),
    );
  }

  /** Closes tickets from the front, so that a source hears of its frames in order. */
  #close(): void {
    this.#merge();
    for (let head = this.#tickets[0]; head?.isClosed; head = this.#tickets[0]) {
      this.#tickets.shift();
      for (let origin = 0; origin < head.last.length; origin++) {
        const last = head.last[origin] as number;
        if (last > 0) this.#sources[origin]?.delivered(last, this);
      }
      this.#spare.push(head);
    }
  }

  /**
   * The newest ticket, if it is closed already (its frames gave no message), goes into the one before it:
   * while a sink is away nothing may pile up behind what waits for it.
   */
  #merge(): void {
    const last = this.#tickets.at(-1);
    const before = this.#tickets.at(-2);
    if (last === undefined || before === undefined || !last.isClosed) return;
    this.#tickets.pop();
    before.absorb(last);
    this.#spare.push(last);
  }

  /** A frame that fails by itself is told of when its outcome comes, with its bytes. */
  #fault(fault: Fault, plugin: string, frames: number): void {
    if (frames === 1) return;
    this.#report.fault(
      { ...fault, message: `${fault.message}; its batch of ${frames} is run frame by frame`, plugin },
      { route: this.name },
    );
  }

  #restarted(fault: Fault, plugin: string): void {
    const known = this.#plugins.find(({ name }) => name === plugin);
    known?.metrics.restarted(known.version, fault.code);
    this.#report.fault(
      { ...fault, message: `${fault.message}; a fresh instance serves` },
      { route: this.name },
      'error',
    );
  }

  #log(plugin: string, lines: readonly LogLine[], lost: number): void {
    for (const { level, text } of lines) this.#report.guest(plugin, level, text);
    if (lost > 0) this.#report.guest(plugin, 3, `${lost} more lines were left out`);
  }
}

/** Resolves with `done`, or after a while without it. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(ms, 1));
  await Promise.race([done, promise]);
  clearTimeout(timer);
}
