import { type ErrorCode, type Fault, type FrameCopy, isFault } from '../../runtime/index.js';
import type { Delivery } from '../../sandbox/index.js';
import type { FrameId, FrameName } from '../sinks/message-id.js';
import type { Poison } from '../store/quarantine.js';
import type { Reporter } from '../telemetry/reporter.js';
import { Isolation } from './isolation.js';
import type { ChainReport } from './report/chain-report.js';
import type { Culprit, Isolate, RouteSource } from './route-parts.js';
import type { RouteSources } from './route-sources.js';
import type { SlabTicket } from './ticket/ticket.js';

/**
 * What failed is told of, and handed to the quarantine, this long after it was taken: a line of the log and a commit on the
 * disk take more time than the frames behind it, for which the machine is free first; and frames that fail together are
 * handed over together.
 */
const TELL_MS = 5;
/** Bytes of a frame that stand in the log. */
const SHOWN = 64;

export interface RefusalsParts {
  readonly route: string;
  readonly sources: RouteSources;
  readonly chain: ChainReport;
  readonly report: Reporter;
  readonly isolate: Isolate;
  /** Plugins serve the route. */
  readonly isServed: () => boolean;
  /** There is room again for what is to be kept. */
  readonly room: () => void;
}

/** What becomes of frames that gave a code and no messages: counted and told, kept in quarantine, or given back. */
export class Refusals {
  /** Why no plugin serves the route, though no breaker is open. */
  unserved: Fault | undefined;
  readonly #parts: RefusalsParts;
  /** Frames that plugins failed on: they wait for nobody. */
  readonly #failed: Isolation;
  /** Frames that no plugin has run: they wait for room in the quarantine, or are run; so those that failed do not wait for them. */
  readonly #unseen: Isolation;
  /** Lines of the log that are not written yet. */
  #lines: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RefusalsParts) {
    this.#parts = parts;
    this.#failed = new Isolation(parts.isolate, parts.room);
    this.#unseen = new Isolation(parts.isolate, parts.room);
  }

  /** Nothing can be kept for now, so this frame may not be taken, with this code. */
  isFullFor(delivery: Delivery, frame: number, code: ErrorCode): boolean {
    if (code !== 'SLUICE_BREAKER_OPEN') return this.#failed.isFull;
    // Where plugins serve again those that wait are run, by the ring: it may not wait for them. Nor are they kept once more.
    return this.#unseen.isFull && !this.#parts.isServed() && this.#came(delivery, frame)?.replays !== true;
  }

  /** What was taken is told of in the log, and handed to the quarantine: now, and not a moment later. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      for (const say of lines) say();
    }
    this.#failed.send();
    this.#unseen.send();
  }

  /** The outcome of the delivery stands on it; it is told of a moment later. @param id stands on the frame */
  take(delivery: Delivery, frame: number, id: FrameId, ticket: SlabTicket): void {
    const { route, chain, report } = this.#parts;
    const { code, stage } = delivery.outcome;
    if (code === undefined) return;
    this.#timer ??= setTimeout(() => this.tell(), TELL_MS);
    const plugin = chain.ran[stage];
    const name = plugin?.name ?? route;
    const guilty = isFault(code);
    if (guilty) plugin?.metrics.faulted(plugin.version, code);
    const message = delivery.outcome.text(delivery.slab);
    if (delivery.isFlush) this.#lines.push(() => report.fault({ code, message, plugin: name }, { route }));
    else if (code === 'SLUICE_BREAKER_OPEN')
      this.#notRun(delivery, frame, this.#givenBack(message), id, ticket);
    else {
      const fault = { code, message, plugin: name };
      const source = this.#parts.sources.of(delivery, frame, id);
      const culprit: Culprit = { version: plugin?.version ?? '', stage };
      source?.refused(name, { code, message }, culprit);
      const copy = delivery.frame(frame);
      // What is replayed is in quarantine already, and stays there.
      const poisoned = guilty && this.#came(delivery, frame)?.replays !== true;
      this.#lines.push(() => this.#say(fault, copy, source, guilty, poisoned));
      if (!poisoned) return;
      const trace = this.#parts.sources.trace(delivery, frame);
      this.#keep({ frame: copy, plugin: name, stage, fault: { code, message }, trace }, ticket);
    }
  }

  /** A frame that was to wait on the disk has found no room there. @param sequence in its source */
  giveBack(
    frame: FrameCopy,
    sequence: number,
    id: FrameName,
    { message: why }: Fault,
  ): Promise<void> | undefined {
    const { route, chain, sources, isolate } = this.#parts;
    const { name = route, version = '' } = chain.stages[0] ?? {};
    const { code, message, plugin = name } = this.#givenBack(`the circuit breaker of ${name} is open`);
    const fault: Fault = { code, message: `${message}, and the frame cannot wait on the disk: ${why}` };
    const source = sources.named(frame.source);
    source?.refused(plugin, fault);
    if (source?.sendBack(sequence, code) === true) return undefined;
    const trace = source?.names?.trace?.(sequence);
    return isolate({ frame, route, plugin, version, stage: 0, fault, trace, id });
  }

  /** Why no plugin was asked. */
  #givenBack(message: string): Fault {
    return this.unserved ?? { code: 'SLUICE_BREAKER_OPEN', message };
  }

  /** That nobody serves was told of, once. */
  #notRun(delivery: Delivery, frame: number, fault: Fault, id: FrameId, ticket: SlabTicket): void {
    const { route, chain, sources } = this.#parts;
    const { stage } = delivery.outcome;
    const plugin = fault.plugin ?? chain.ran[stage]?.name ?? route;
    sources.of(delivery, frame, id)?.refused(plugin, fault);
    if (this.#came(delivery, frame)?.sendBack(delivery.sequenceOf(frame), fault.code) !== false) return;
    const trace = sources.trace(delivery, frame);
    this.#keep({ frame: delivery.frame(frame), plugin, stage, fault, trace, id: nameOf(id) }, ticket);
  }

  /** Who brought it into the ring. */
  #came(delivery: Delivery, frame: number): RouteSource | undefined {
    return this.#parts.sources.at(delivery.originOf(frame));
  }

  #say(
    fault: Fault,
    frame: FrameCopy,
    source: RouteSource | undefined,
    guilty: boolean,
    poisoned: boolean,
  ): void {
    const { route, report } = this.#parts;
    const bytes = Buffer.from(frame.payload);
    const rest = bytes.length > SHOWN ? `... (${bytes.length} bytes)` : '';
    const message = poisoned ? `${fault.message}; the frame goes into quarantine` : fault.message;
    report.fault({ ...fault, message }, { route, source: source?.name ?? '?' }, guilty ? 'error' : 'warn', {
      payload: `${bytes.toString('hex', 0, SHOWN)}${rest}`,
    });
  }

  #keep(found: Omit<Poison, 'route' | 'version'>, ticket: SlabTicket): void {
    const { route, chain } = this.#parts;
    const version = chain.ran[found.stage]?.version ?? '';
    (found.id === undefined ? this.#failed : this.#unseen).keep({ ...found, route, version }, ticket);
  }
}

function nameOf({ prefix, sequence }: FrameName): FrameName {
  return { prefix: Buffer.from(prefix), sequence };
}
