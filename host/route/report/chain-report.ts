import { type Fault, LIMITS } from '../../../runtime/index.js';
import type { Delivery, Generation, LogLine } from '../../../sandbox/index.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { PluginMetrics } from '../../telemetry/plugin-metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';

/** Share of the memory that a chain may have from which on that is told: guests grow in steps. */
const NEARLY = 0.95;

interface Stage {
  readonly name: string;
  readonly version: string;
  readonly metrics: PluginMetrics;
}

/** A call that failed, and whose frames are run again. */
interface Again {
  readonly fault: Fault;
  readonly plugin: string;
  readonly frames: number;
}

/** Says in metrics and log what the plugins of one route do, and what is done to them. */
export class ChainReport {
  readonly #route: string;
  readonly #metrics: Metrics;
  readonly #report: Reporter;
  readonly #silent: { add(count: number): void; readonly value: number };
  #stages: readonly Stage[] = [];
  /** Who ran the slab that walks on: results of the version before can still wait for room in a sink. */
  #ran: readonly Stage[] = [];
  /** Who ran those behind it, and from which on. */
  readonly #next: { readonly from: number; readonly stages: readonly Stage[] }[] = [];
  #saidSilent = false;
  readonly #memory: { set(bytes: number): void };
  /** Bytes that all stages may have together. */
  #cap = Number.POSITIVE_INFINITY;
  #saidFull = false;
  /** Until it is known which of the frames is to blame. */
  #again: Again | undefined;

  constructor(route: string, metrics: Metrics, report: Reporter) {
    this.#route = route;
    this.#metrics = metrics;
    this.#report = report;
    this.#silent = metrics.silent(route);
    this.#memory = metrics.guestMemory(route);
  }

  /** What serves, in the order of the chain; empty before the first. */
  get stages(): readonly Stage[] {
    return this.#stages;
  }

  /** What ran the slab that walks on. */
  get ran(): readonly Stage[] {
    return this.#ran;
  }

  /** @param from first slab that it runs */
  serves({ spec }: Generation, from: number): void {
    this.#stages = spec.stages.map(({ plugin, version }) => ({
      name: plugin,
      version,
      metrics: this.#metrics.plugin(plugin),
    }));
    this.#cap = spec.stages.reduce(
      (sum, { rules }) => sum + rules.memory.is - (rules.memory.is % LIMITS.page),
      0,
    );
    this.#saidFull = false;
    // One that took over and ran nothing has no results.
    if (this.#next.at(-1)?.from === from) this.#next.pop();
    this.#next.push({ from, stages: this.#stages });
  }

  /** What the guests hold behind a batch; that it is nearly all they may is told once. */
  memory(bytes: number): void {
    this.#memory.set(bytes);
    if (bytes < this.#cap * NEARLY || this.#saidFull) return;
    this.#saidFull = true;
    const plugin = this.#stages.map(({ name }) => name).join(', ');
    const message = `${plugin} holds ${mib(bytes)} of the ${mib(this.#cap)} MiB of memory that it may have; more is refused it, inside of it`;
    this.#report.info(message, { route: this.#route, plugin });
  }

  swapped(): void {
    for (const { metrics } of this.#stages) metrics.swapped();
  }

  /** The results of a slab are about to walk on. @param slab its sequence */
  batch(delivery: Delivery, slab: number): void {
    for (
      let next = this.#next[0];
      next !== undefined && ((slab - next.from) | 0) >= 0;
      next = this.#next[0]
    ) {
      this.#ran = next.stages;
      this.#next.shift();
    }
    if (delivery.isFlush) return;
    for (const { metrics } of this.#ran) metrics.batch(delivery.end - delivery.begin);
    if (this.#again !== undefined && delivery.isIsolated) this.#lookBack(this.#again, delivery);
  }

  /** A frame gave no message, which is allowed. */
  silent(): void {
    this.#silent.add(1);
    if (this.#saidSilent) return;
    this.#saidSilent = true;
    this.#report.info(
      'a frame gave no message, which is allowed: such frames are counted in sluice_frames_silent_total',
      { route: this.#route, plugin: this.#stages.map(({ name }) => name).join(', ') },
    );
  }

  /** A call failed. @param again its frames are run one by one; else it is told of when its outcome comes, with its bytes */
  fault(fault: Fault, plugin: string, frames: number, again: boolean): void {
    if (!again) return;
    this.#again = { fault, plugin, frames };
    this.#stage(plugin)?.metrics.retried(fault.code, frames);
    if (frames === 1) return;
    this.#report.fault(
      { ...fault, message: `${fault.message}; its batch of ${frames} is run frame by frame`, plugin },
      { route: this.#route },
    );
  }

  restarted(fault: Fault, plugin: string): void {
    const known = this.#stage(plugin);
    known?.metrics.restarted(known.version, fault.code);
    this.#report.fault(
      { ...fault, message: `${fault.message}; a fresh instance serves`, plugin },
      { route: this.#route },
      'error',
    );
  }

  notStarted(fault: Fault, retryMs: number): void {
    const message = `${fault.message}; trying again in ${retryMs} ms`;
    this.#report.fault({ ...fault, message }, { route: this.#route }, 'error');
  }

  log(plugin: string, lines: readonly LogLine[], lost: number): void {
    for (const { level, text } of lines) this.#report.guest(plugin, level, text);
    this.#metrics.plugin(plugin).logged(lines.length, lost);
    if (lost > 0) this.#report.guest(plugin, 3, `${lost} more lines were left out`);
  }

  versionOf(plugin: string): string {
    return this.#stage(plugin)?.version ?? '';
  }

  #stage(plugin: string): Stage | undefined {
    return this.#stages.find(({ name }) => name === plugin);
  }

  /** Frames of a call that failed have been run one by one: where all went through, none of them is to blame. */
  #lookBack({ fault, plugin, frames }: Again, delivery: Delivery): void {
    if (delivery.faults > 0) this.#again = undefined;
    if (delivery.faults > 0 || delivery.isPiece) return;
    this.#again = undefined;
    const message = `${fault.message} (${fault.code}); run one by one all ${frames} frames of the call went through, and nothing is lost`;
    const version = this.versionOf(plugin);
    this.#report.fault({ code: 'SLUICE_GUEST_FLAKY', message, plugin }, { route: this.#route, of: version });
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1).replace('.0', '');
}
