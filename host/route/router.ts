import { LIMITS, SluiceError } from '../../runtime/index.js';
import type { ChainSpec, SandboxPool } from '../../sandbox/index.js';
import type { PluginsConfig, RouteConfig, StepConfig } from '../config/config.js';
import type { Offer } from '../plugins/catalog.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import type { Feed } from './feed.js';
import { Route, type RouteSink } from './route.js';

/** A route that has been full for this long delivers nothing: the gateway is not ready. */
const STUCK_MS = 5000;

interface RunningRoute {
  readonly route: Route;
  readonly steps: readonly StepConfig[];
  /** What its chain runs now, by plugin. */
  serving: ReadonlyMap<string, Offer>;
  /** Versions that this route could not start. */
  readonly refused: Set<Offer>;
  /** Feeds to connect once it serves; empty when that is done. */
  waiting: readonly Feed[];
}

export interface RouterParts {
  readonly plugins: PluginsConfig;
  readonly pool: SandboxPool;
  readonly sinks: ReadonlyMap<string, RouteSink>;
  /** Sources by name, with their kind (the key of their configuration). */
  readonly feeds: ReadonlyMap<string, { readonly feed: Feed; readonly kind: string }>;
  readonly metrics: Metrics;
  readonly report: Reporter;
  /** A source has got a route it did not have before. */
  readonly connected: () => void;
}

/** Decides which plugin runs where: the routes, what the folder offers, and the swaps between them. */
export class Router {
  readonly #parts: RouterParts;
  readonly #routes: RunningRoute[] = [];
  readonly #offers = new Map<string, Offer>();
  readonly #swaps = new Set<Promise<void>>();
  #turn = 0;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  get routes(): readonly Route[] {
    return this.#routes.map(({ route }) => route);
  }

  /** A route of the configuration: its sources feed it from now on, also while its plugin is missing. */
  add(config: RouteConfig): void {
    const running = this.#make(config);
    for (const feed of running.waiting) feed.connect(running.route);
    running.waiting = [];
  }

  /** A file came or changed: every route that names its plugin gets a new generation. */
  offered(offer: Offer): void {
    this.#offers.set(offer.name, offer);
    if (!this.#routes.some(({ steps }) => names(steps, offer.name))) this.#routeByItself(offer);
    for (const running of this.#routes) {
      if (!names(running.steps, offer.name)) continue;
      const swap = this.#swap(running, offer).finally(() => this.#swaps.delete(swap));
      this.#swaps.add(swap);
    }
  }

  /** The swaps that are under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#swaps);
  }

  /** A sink has room: all routes go on, another one first each time, so that none takes all of it. */
  pump(): void {
    const count = this.#routes.length;
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count;
    for (let i = 0; i < count; i++) this.#routes[(this.#turn + i) % count]?.route.pump();
  }

  /** Says which routes wait for a plugin that no file carries. */
  sayMissing(): void {
    for (const { route, steps } of this.#routes) {
      for (const plugin of this.#missing(steps)) {
        const message = `the route ${route.name} waits for the plugin ${plugin}: no usable file in ${this.#parts.plugins.dir} carries it`;
        this.#parts.report.fault(
          { code: 'SLUICE_PLUGIN_UNKNOWN', message, plugin },
          { route: route.name },
          'error',
        );
      }
    }
  }

  /** Why frames cannot be delivered now; empty: they can. */
  reasons(): string[] {
    if (this.#routes.length === 0) {
      return [`no route: the plugin folder ${this.#parts.plugins.dir} holds no plugin that fits a source`];
    }
    return this.#routes.flatMap(({ route, steps }) => {
      const missing = this.#missing(steps);
      if (missing.length > 0) return [`route ${route.name} waits for the plugin ${missing.join(', ')}`];
      const { state } = route.slot;
      if (route.fullForMs > STUCK_MS) {
        const seconds = Math.round(route.fullForMs / 1000);
        return [
          `route ${route.name} is full and has given nothing back for ${seconds} s: its plugin hangs, or its sink is away`,
        ];
      }
      // A fresh instance is on its way, and frames are kept meanwhile.
      if (state === 'serving' || state === 'recovering') return [];
      return [`route ${route.name}: its plugins are ${state === 'starting' ? 'starting' : 'refused'}`];
    });
  }

  #missing(steps: readonly StepConfig[]): string[] {
    return steps.map(({ plugin }) => plugin).filter(plugin => !this.#offers.has(plugin));
  }

  #make(config: RouteConfig): RunningRoute {
    const { sinks, feeds, pool, metrics, report } = this.#parts;
    const to =
      config.to.length === 0 ? [...sinks.values()] : config.to.flatMap(name => sinks.get(name) ?? []);
    const running = {
      route: new Route(config.name, pool, to, metrics, report),
      steps: config.through,
      serving: new Map<string, Offer>(),
      refused: new Set<Offer>(),
      waiting: config.from.flatMap(name => feeds.get(name)?.feed ?? []),
    };
    this.#routes.push(running);
    return running;
  }

  /**
   * No route names it: it runs if exactly one of its `accepts` fits a kind of source, to all sinks. Its
   * sources feed it once it serves, so that a plugin that cannot start does not hold up other routes.
   */
  #routeByItself({ name, file, manifest }: Offer): void {
    const { feeds, plugins, report } = this.#parts;
    const kinds = new Set([...feeds.values()].map(({ kind }) => kind));
    const fits = manifest.accepts.filter(kind => kinds.has(kind));
    if (fits.length !== 1) {
      const accepts = manifest.accepts.length === 0 ? 'nothing' : manifest.accepts.join(', ');
      const message = `${file} runs nowhere: no route names ${name}, and of what its manifest accepts (${accepts}) ${fits.length === 0 ? 'no' : 'more than one'} kind of source is configured (${[...kinds].join(', ')})`;
      report.fault({ code: 'SLUICE_PLUGIN_UNUSED', message, plugin: name }, { file });
      return;
    }
    const from = [...feeds].filter(([, { kind }]) => kind === fits[0]).map(([source]) => source);
    report.info(`no route names ${name}: it gets one of its own, from ${from.join(', ')} to all sinks`, {
      file,
      plugin: name,
    });
    const { deadlineMs } = plugins;
    this.#make({ name, from, through: [{ plugin: name, config: '{}', deadlineMs }], to: [] });
  }

  async #swap(running: RunningRoute, offer: Offer): Promise<void> {
    const { route } = running;
    const offers = this.#candidates(running, offer);
    if (offers === undefined) return;
    const began = performance.now();
    const where = { route: route.name, plugin: offer.name, version: offer.manifest.version };
    try {
      await route.swap(this.#chain(running.steps, offers));
      running.serving = offers;
      const ms = Math.round(performance.now() - began);
      this.#parts.report.info(`${offer.file} serves (generation ${route.slot.generation}, ${ms} ms)`, where);
      this.#connect(running);
    } catch (thrown) {
      this.#refused(running, offer, thrown, where);
    }
    this.#parts.metrics.sandboxes(this.#parts.pool.size);
  }

  #connect(running: RunningRoute): void {
    if (running.waiting.length === 0) return;
    for (const feed of running.waiting) feed.connect(running.route);
    running.waiting = [];
    this.#parts.connected();
  }

  #refused(running: RunningRoute, offer: Offer, thrown: unknown, where: Record<string, string>): void {
    const error = thrown instanceof SluiceError ? thrown : new SluiceError('SLUICE_INTERNAL', String(thrown));
    // That there was no thread for it says nothing about the plugin.
    if (!error.code.startsWith('SLUICE_SANDBOX_')) running.refused.add(offer);
    const serves = running.route.slot.generation > 0;
    const serving = serves ? 'the version before it serves on' : 'nothing serves this route yet';
    this.#parts.metrics.plugin(offer.name).faulted(offer.manifest.version, error.code);
    this.#parts.report.fault(
      { ...error.toFault(), message: `${offer.file} is refused: ${error.message}; ${serving}` },
      where,
      'error',
    );
    // A route of its own that never ran leaves no trace; the next version of the file gets another.
    if (!serves && running.waiting.length > 0) this.#routes.splice(this.#routes.indexOf(running), 1);
  }

  /** The version of each plugin of a route that is to run with `changed`; undefined while one is missing. */
  #candidates({ steps, serving, refused }: RunningRoute, changed: Offer): Map<string, Offer> | undefined {
    const chosen = new Map<string, Offer>();
    for (const { plugin } of steps) {
      const newest = this.#offers.get(plugin);
      if (newest === undefined) return undefined;
      // A version that was refused here must not keep its neighbours from being replaced.
      const known = newest !== changed && refused.has(newest) ? serving.get(plugin) : undefined;
      chosen.set(plugin, known ?? newest);
    }
    return chosen;
  }

  #chain(steps: readonly StepConfig[], offers: ReadonlyMap<string, Offer>): ChainSpec {
    const { plugins } = this.#parts;
    let output: number = LIMITS.output;
    const stages = steps.map(step => {
      const { manifest, code } = offers.get(step.plugin) as Offer;
      const { name, version, kind, limits } = manifest;
      output = Math.min(output, limits.output ?? output);
      return {
        plugin: name,
        version,
        kind,
        config: step.config,
        code,
        deadlineMs: Math.min(step.deadlineMs, limits.deadline ?? step.deadlineMs),
        grants: { memory: Math.min(plugins.memoryBytes, limits.memory ?? plugins.memoryBytes) },
      };
    });
    return { stages, startDeadlineMs: plugins.startDeadlineMs, output };
  }
}

function names(steps: readonly StepConfig[], plugin: string): boolean {
  return steps.some(step => step.plugin === plugin);
}
