import type { Fault } from '../../runtime/index.js';
import {
  type ChainSpec,
  type SandboxPool,
  Slot,
  type SlotChange,
  unless,
  type WhenOpen,
} from '../../sandbox/index.js';
import type { Origins } from '../sinks/message-id.js';
import type { SpoolSums } from '../sinks/sink.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import { Entrance } from './entrance.js';
import { ParkedFrames } from './parked-frames.js';
import { Refusals } from './refusals.js';
import { BreakerReport } from './report/breaker-report.js';
import { ChainReport } from './report/chain-report.js';
import { StateReport } from './report/state-report.js';
import type { Isolate, RouteOptions, RouteSink } from './route-parts.js';
import { RouteSources } from './route-sources.js';
import { StateGate } from './ticket/state-gate.js';
import { TicketLine } from './ticket/ticket-line.js';
import { Walk } from './walk.js';

/**
 * The one loop between a slot and its sinks: results walk on in order; a slab goes back (ack) when every
 * sink has taken its messages, and its frames are delivered when every sink has confirmed them.
 */
export class Route {
  readonly name: string;
  readonly slot: Slot;
  readonly entrance: Entrance;
  readonly #options: RouteOptions;
  readonly #sources: RouteSources;
  readonly #sinks: readonly RouteSink[];
  readonly #chain: ChainReport;
  readonly #breakers: BreakerReport;
  readonly #refusals: Refusals;
  readonly #parked: ParkedFrames;
  readonly #tickets: TicketLine;
  readonly #walk: Walk;
  readonly #slabs: { set(value: number): void };
  readonly #batchLimit: { set(value: number): void };
  /** What a gateway before has left is known. */
  #remembered: Promise<void> | undefined;
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
    this.#options = options;
    this.#sinks = sinks;
    this.#slabs = metrics.slabsInUse(name);
    this.#batchLimit = metrics.batchLimit(name);
    const own = origins.make(name, '', false);
    const sources = new RouteSources(name, origins);
    const kept = new StateGate(-1, states => options.states?.()?.save(name, states, this.#parked.mark()));
    const states = new StateReport(name, metrics, report);
    const chain = new ChainReport(name, metrics, report);
    this.#sources = sources;
    this.#chain = chain;
    this.#breakers = new BreakerReport(name, metrics, report, () => this.#parked.isOpen);
    this.#tickets = new TicketLine(
      sinks.map(sink => sink.metrics),
      () => sources.count,
      (origin, sequence) => sources.at(origin)?.delivered(sequence, this),
      slab => kept.delivered(slab),
      sources.overtakers,
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
      parks: () => this.#parked.isOpen && !this.#parked.diverts,
    });
    const { slot } = this;
    const room = (): void => {
      this.pump();
      this.entrance.freed();
    };
    const isServed = (): boolean => slot.state === 'serving' || slot.state === 'recovering';
    this.#refusals = new Refusals({ route: name, sources, chain, report, isolate, isServed, room });
    const { whenOpen = 'fallback', spool, whenFull = 'keep-all' } = options;
    this.#parked = new ParkedFrames({
      route: name,
      slot,
      sources,
      refusals: this.#refusals,
      whenOpen,
      metrics,
      report,
      isIdle: () => this.#walk.isIdle,
      look: room,
    });
    this.entrance = new Entrance(slot, sources, this.#parked);
    this.#walk = new Walk({
      slot,
      sources,
      sinks,
      chain,
      tickets: this.#tickets,
      refusals: this.#refusals,
      parked: this.#parked,
      own,
      freed: () => this.entrance.freed(),
    });
    if (spool !== undefined) this.#parked.open(spool, whenFull);
  }

  /** Groups of messages that the sinks have not confirmed: bounded by what their windows hold. */
  get unconfirmed(): number {
    return this.#tickets.length;
  }

  /** Frames of it wait on the disk. */
  get hasParked(): boolean {
    return this.#parked.holds;
  }

  /** What of it waits there, and why no more can; undefined: there is no disk. */
  get parked(): SpoolSums | undefined {
    return this.#parked.sums;
  }

  /** What serves, in the order of the chain; empty before the first. */
  get plugins(): readonly { readonly name: string; readonly version: string }[] {
    return this.#chain.stages;
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

  async #remember(): Promise<void> {
    this.slot.remember((await this.#options.states?.()?.load(this.name)) ?? []);
  }

  /**
   * No plugin serves it until a swap, for this reason: its frames go where they would go if a breaker were open, and who
   * is told of it is told the reason.
   */
  leaveUnserved(fault: Fault): void {
    this.#refusals.unserved = fault;
    this.slot.leaveUnserved();
  }

  #changed(change: SlotChange): void {
    if (change.kind === 'serving') {
      this.#refusals.unserved = undefined;
      this.#chain.serves(change.generation, change.from);
    }
    this.#breakers.changed(change);
    this.#options.changed?.(change);
    if (this.#parked.keepsBack) this.pump();
  }

  /** Frames may not wait where their source would then keep other routes waiting: in the ring. */
  #whenOpen(hasFallback: boolean): WhenOpen {
    const { whenOpen = 'fallback' } = this.#options;
    if (whenOpen === 'refuse' || (whenOpen === 'fallback' && hasFallback)) return whenOpen;
    if (this.#parked.isOpen) return 'spool';
    return this.#sources.holdOthersUp ? 'refuse' : 'spool';
  }

  /** Moves results on until there are none or a sink is full. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#walk.run();
    if (this.#parked.bringBack()) {
      this.#walk.run();
      this.#parked.finish();
    }
    this.#pumping = false;
    if (this.#isEmpty) this.#emptied?.();
    this.#slabs.set(this.slot.ring.inUse);
    this.#batchLimit.set(this.slot.ring.batchLimit);
    this.#chain.memory(this.slot.memoryBytes);
    for (const { sink } of this.#sinks) sink.flush();
  }

  /**
   * Lets the chain finish what was pushed and hands all of it to the sinks. When the signal aborts, the chain ends at the
   * border of the batch that it is at, or by force if it does not get there. The sinks have to be running still.
   */
  async stop(signal: AbortSignal): Promise<void> {
    const { state } = this.slot;
    this.#parked.leave();
    // In the ordinary way first: a guest that fails now is replaced, and what it was at is run again.
    if (state === 'serving' || state === 'recovering') await unless(signal, this.#empty());
    await this.slot.stop(signal);
    this.#parked.settle();
    this.pump();
    await unless(signal, this.#empty());
    await unless(signal, this.#parked.empty());
    this.#refusals.tell();
  }

  /** After the sinks have stopped: nothing more is confirmed. */
  close(): void {
    this.#parked.stop();
  }

  /** Nothing waits for the chain or for a sink. */
  get #isEmpty(): boolean {
    const { ring, state } = this.slot;
    return this.#walk.isIdle && (state === 'stopped' || ring.outstanding + ring.waiting === 0);
  }

  #empty(): Promise<void> {
    if (this.#isEmpty) return Promise.resolve();
    return new Promise(resolve => {
      this.#emptied = resolve;
    });
  }
}
