import { faultOf, type Granted, SluiceError } from '../../runtime/index.js';
import type { ChainSpec, Generation, SlotChange } from '../../sandbox/index.js';
import type { RouteConfig, StepConfig } from '../config/config.js';
import type { Offer } from '../plugins/offer.js';
import { TopicFilter } from '../protocols/mqtt-wire/topic-filter.js';
import { DEFAULT_ROUTE_SPOOL } from '../spool/route-spool.js';
import { chainOf, grantedTo } from './chain-of.js';
import { enforce } from './enforce.js';
import { Replay } from './replay.js';
import { Route } from './route.js';
import { type RouteStatus, statusOf } from './route-status.js';
import { type RouteTrouble, troubleOf } from './route-trouble.js';
import type { RouterParts } from './router-parts.js';
import { names, type RunningRoute, serves, takeRefused } from './running-route.js';

/** A slot that is halted gets this long for what it is at; then it is ended. */
const HALT_MS = 5000;

/** Decides which plugin runs where: the routes, what the folder offers, and the swaps between them. */
export class Router {
  readonly #parts: RouterParts;
  readonly #routes: RunningRoute[] = [];
  readonly #offers = new Map<string, Offer>();
  readonly #swaps = new Set<Promise<void>>();
  /** Plugins that are not to run, whatever the folder offers. */
  readonly #disabled = new Set<string>();
  /** Plugins of which the next offer may be the one that serves. */
  readonly #back = new Set<string>();
  /** Offers that had a route of their own until the policy refused them. */
  readonly #homeless = new Set<Offer>();
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
    for (const feed of running.waiting) feed.connect(running.route, running.filters);
    running.waiting = [];
  }

  /** True if a route names the plugin, or is its own. */
  uses(plugin: string): boolean {
    return this.#routes.some(({ steps }) => names(steps, plugin));
  }

  /** A file came or changed: every route that names its plugin gets a new generation. */
  offered(offer: Offer): void {
    const back = this.#back.delete(offer.name);
    this.#offers.set(offer.name, offer);
    if (!this.uses(offer.name)) this.#routeByItself(offer);
    for (const running of this.#routes) {
      if (!names(running.steps, offer.name) || (back && serves(running, offer))) continue;
      const swap = this.#swap(running, offer).finally(() => this.#swaps.delete(swap));
      this.#swaps.add(swap);
    }
  }

  /** Runs what is offered of this plugin once more, as a fresh generation. */
  again(plugin: string): void {
    const offer = this.#offers.get(plugin);
    if (offer !== undefined) this.offered(offer);
  }

  /** The file that served before is about to be put back: where it still serves nothing is swapped. */
  putBack(plugin: string): void {
    this.#back.add(plugin);
  }

  /** The plugin runs no more: frames of its routes wait on the disk, or are refused, as behind an open breaker. */
  disable(plugin: string): Promise<void> {
    this.#disabled.add(plugin);
    return this.#halt(plugin);
  }

  enable(plugin: string): void {
    if (this.#disabled.delete(plugin)) this.again(plugin);
  }

  /** The plugin is taken away: its routes wait for another file. */
  forget(plugin: string): Promise<void> {
    this.#offers.delete(plugin);
    return this.#halt(plugin);
  }

  /**
   * Another policy is in force: what it forbids is ended at once, and the frames of its routes wait; what was refused
   * under the one before gets another chance; all else goes on undisturbed. Resolves when all of that is done.
   */
  async policyChanged(): Promise<void> {
    const work = Promise.all([...this.#routes.map(running => this.#enforce(running)), this.#house()]);
    const swap = work.then(() => {}).finally(() => this.#swaps.delete(swap));
    this.#swaps.add(swap);
    await swap;
  }

  /** What this plugin gets by the policy that is in force; undefined: nobody offers it. */
  grantedTo(plugin: string): Granted | undefined {
    const offer = this.#offers.get(plugin);
    const step = this.#routes.flatMap(({ steps }) => steps).find(each => each.plugin === plugin);
    const { plugins, policy } = this.#parts;
    return offer && grantedTo(offer, plugins, policy.current, step?.deadlineMs);
  }

  isDisabled(plugin: string): boolean {
    return this.#disabled.has(plugin);
  }

  /** What the folder offers, by plugin. */
  get offers(): ReadonlyMap<string, Offer> {
    return this.#offers;
  }

  status(): readonly RouteStatus[] {
    return this.#routes.map(running => statusOf(running, this.#offers, this.#disabled));
  }

  /** The way into a route for frames that went through it before. */
  replayOf(route: string): Replay | undefined {
    return this.#routes.find(({ config }) => config.name === route)?.replay;
  }

  /** The swaps that are under way have ended. */
  async settled(): Promise<void> {
    // What one of them failed with is said by who began it.
    await Promise.allSettled(this.#swaps);
  }

  /** A sink has room: all routes go on, another one first each time, so that none takes all of it. */
  pump(): void {
    const count = this.#routes.length;
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count;
    for (let i = 0; i < count; i++) this.#routes[(this.#turn + i) % count]?.route.pump();
  }

  /** Says which routes wait for a plugin that no file carries. */
  sayMissing(): void {
    for (const running of this.#routes) {
      this.#leaveUnserved(running);
      const { route, steps } = running;
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

  /** What is not as configured, with the name of its route. */
  troubles(): (readonly [string, RouteTrouble])[] {
    return this.status().flatMap(status => {
      const trouble = troubleOf(status);
      return trouble === undefined ? [] : [[status.config.name, trouble] as const];
    });
  }

  /** Why there is none. */
  get noRoute(): string {
    return `no route: the plugin folder ${this.#parts.plugins.dir} holds no plugin that fits a source`;
  }

  async #halt(plugin: string): Promise<void> {
    const halted = this.#routes.filter(({ steps }) => names(steps, plugin));
    for (const running of halted) running.serving = new Map();
    await Promise.all(halted.map(({ route }) => route.slot.stop(AbortSignal.timeout(HALT_MS))));
    for (const running of halted) this.#leaveUnserved(running);
  }

  /** Nobody serves it until a plugin comes: its frames are not to keep other routes waiting meanwhile. */
  #leaveUnserved(running: RunningRoute): void {
    const { route } = running;
    if (route.slot.state !== 'stopped') return;
    const { missing, disabled } = statusOf(running, this.#offers, this.#disabled);
    const [plugin = running.steps[0]?.plugin ?? ''] = [...missing, ...disabled];
    const why =
      missing.length > 0 ? 'is not in the folder' : disabled.length > 0 ? 'is disabled' : 'is refused';
    route.leaveUnserved({ code: 'SLUICE_ROUTE_UNSERVED', message: `the plugin ${plugin} ${why}`, plugin });
  }

  #missing(steps: readonly StepConfig[]): string[] {
    return steps.map(({ plugin }) => plugin).filter(plugin => !this.#offers.has(plugin));
  }

  #make(config: RouteConfig): RunningRoute {
    const { sinks, feeds, pool, origins, states, spool, metrics, report, isolate } = this.#parts;
    const to =
      config.to.length === 0 ? [...sinks.values()] : config.to.flatMap(name => sinks.get(name) ?? []);
    const route = new Route(config.name, pool, to, origins(), metrics, report, isolate, {
      whenOpen: config.whenOpen,
      spool: spool(),
      whenFull: config.spool.whenFull,
      states,
      changed: change => this.#changed(running, change),
    });
    const running: RunningRoute = {
      config,
      route,
      filters: (config.filter ?? []).map(filter => new TopicFilter(filter)),
      // First of its sources, so that no slab is older.
      replay: new Replay(route.entrance),
      steps: config.through,
      serving: new Map<string, Offer>(),
      refused: new Map(),
      offersOf: new WeakMap(),
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
    const through = [{ plugin: name, config: '{}' }];
    const { whenOpen } = plugins.breaker;
    this.#make({ name, from, through, to: [], whenOpen, spool: DEFAULT_ROUTE_SPOOL });
  }

  #changed(running: RunningRoute, change: SlotChange): void {
    if (change.kind === 'forbidden')
      running.serving = running.offersOf.get(change.back.spec) ?? running.serving;
    if (change.kind === 'serving')
      running.serving = running.offersOf.get(change.generation.spec) ?? running.serving;
    if (change.kind === 'rolled-back') this.#rolledBack(running, change);
    this.#parts.changed(running.route.name, change);
  }

  /** What is not as it was before is marked as refused. */
  #rolledBack(
    { route, refused, offersOf }: RunningRoute,
    { generation, back, fault }: Extract<SlotChange, { kind: 'rolled-back' }>,
  ): void {
    const kept = offersOf.get(back.spec);
    for (const [plugin, offer] of offersOf.get(generation.spec) ?? []) {
      if (kept?.get(plugin) === offer) continue;
      refused.set(offer, fault);
      this.#parts.swapped({ offer, route: route.name, generation: back.number, fault, takenBack: true });
    }
  }

  /**
   * @param known why it was stopped, which is not forgotten if no thread can be had to say where
   * @param outgrown what runs and may hold more than it is to have: it ends if a fresh instance does not start with less
   */
  async #swap(
    running: RunningRoute,
    offer: Offer,
    known?: SluiceError,
    outgrown?: Generation,
  ): Promise<void> {
    const { route } = running;
    const offers = this.#candidates(running, offer);
    if (offers === undefined) return;
    const began = performance.now();
    const where = { route: route.name, plugin: offer.name, version: offer.manifest.version };
    try {
      const { policy } = this.#parts;
      const { version } = policy.current;
      await route.swap(this.#chain(running, offers));
      running.refused.delete(offer);
      this.#sayServes(offer, route.slot.generation, Math.round(performance.now() - began), where);
      this.#parts.swapped({ offer, route: route.name, generation: route.slot.generation });
      this.#connect(running);
      // What was allowed then is judged by what is in force now.
      if (policy.current.version !== version) await this.#enforce(running);
    } catch (thrown) {
      const busy = faultOf(thrown).code.startsWith('SLUICE_SANDBOX_');
      if (outgrown !== undefined && route.slot.current === outgrown) {
        const ended = route.slot.forbid(outgrown);
        if (route.slot.state === 'stopped') running.serving = new Map();
        await ended;
        // Its thread is free now.
        if (busy) return this.#swap(running, offer, known);
      }
      this.#refused(running, offer, busy && known !== undefined ? known : thrown, where);
    }
    this.#parts.metrics.sandboxes(this.#parts.pool.size);
  }

  #connect(running: RunningRoute): void {
    if (running.waiting.length === 0) return;
    for (const feed of running.waiting) feed.connect(running.route, running.filters);
    running.waiting = [];
    this.#parts.connected();
  }

  #refused(running: RunningRoute, offer: Offer, thrown: unknown, where: Record<string, string>): void {
    const error = thrown instanceof SluiceError ? thrown : new SluiceError('SLUICE_INTERNAL', String(thrown));
    // That there was no thread for it says nothing about the plugin.
    if (!error.code.startsWith('SLUICE_SANDBOX_')) running.refused.set(offer, error.toFault());
    const goesOn = running.route.slot.state !== 'stopped';
    // Another swap may wait to start what would be the first.
    const serves = goesOn && running.route.slot.current !== undefined;
    const before =
      running.route.slot.generation > 0 ? 'frames of its route wait' : 'nothing serves this route yet';
    const serving = serves ? 'the version before it serves on' : before;
    this.#parts.metrics.plugin(offer.name).faulted(offer.manifest.version, error.code);
    const message = `${offer.file} is refused: ${error.message}; ${serving}`;
    this.#parts.report.refused({ ...error.toFault(), message }, where);
    const { name, slot } = running.route;
    this.#parts.swapped({ offer, route: name, generation: slot.generation, fault: error.toFault() });
    // A route of its own that never ran leaves no trace; the next version of the file gets another. What waits on the
    // disk for it is that one's only if it is the same.
    this.#leaveUnserved(running);
    if (goesOn || running.waiting.length === 0 || running.route.hasParked) return;
    running.route.close();
    const at = this.#routes.indexOf(running);
    // Of two that waited for each other the first has taken it away already.
    if (at >= 0) this.#routes.splice(at, 1);
    if (error.step === 'admit') this.#homeless.add(offer);
  }

  /** The version of each plugin of a route that is to run with `changed`; undefined while one is missing. */
  #candidates({ steps, serving, refused }: RunningRoute, changed: Offer): Map<string, Offer> | undefined {
    const chosen = new Map<string, Offer>();
    for (const { plugin } of steps) {
      const newest = this.#offers.get(plugin);
      if (newest === undefined || this.#disabled.has(plugin)) return undefined;
      // A version that was refused here must not keep its neighbours from being replaced.
      const known = newest !== changed && refused.has(newest) ? serving.get(plugin) : undefined;
      chosen.set(plugin, known ?? newest);
    }
    return chosen;
  }

  #chain(running: RunningRoute, offers: ReadonlyMap<string, Offer>): ChainSpec {
    const spec = chainOf({ steps: running.steps, offers }, this.#parts.plugins, this.#parts.policy);
    running.offersOf.set(spec, offers);
    return spec;
  }

  async #enforce(running: RunningRoute): Promise<void> {
    const { slot } = running.route;
    const { current } = slot;
    const { stopped, caps, ended } = enforce(slot, before => {
      const offers = running.offersOf.get(before);
      return offers && this.#chain(running, offers);
    });
    if (slot.state === 'stopped') running.serving = new Map();
    await ended;
    this.#leaveUnserved(running);
    const again = takeRefused(running);
    const newest = running.steps.flatMap(({ plugin }) => this.#offers.get(plugin) ?? []);
    const displaced = again.filter(offer => !newest.includes(offer));
    if (displaced.length > 0) this.#parts.offerAgain(displaced);
    const concerned =
      newest.find(({ name }) => name === stopped?.plugin) ?? newest.find(each => again.includes(each));
    const offer = concerned ?? (caps === 'same' ? undefined : newest[0]);
    const outgrown = caps === 'shrinks' ? current : undefined;
    if (offer !== undefined) await this.#swap(running, offer, stopped, outgrown);
    if (stopped === undefined) return;
    // What came together with the forbidden one, and may run, goes on without it.
    const { refused, serving } = running;
    const rest = newest.find(each => !refused.has(each) && serving.get(each.name) !== each);
    if (rest !== undefined && refused.size > 0 && serving.size > 0) await this.#swap(running, rest);
  }

  async #house(): Promise<void> {
    const homeless = [...this.#homeless];
    this.#homeless.clear();
    const isNewest = (offer: Offer) => this.#offers.get(offer.name) === offer;
    const displaced = homeless.filter(offer => !isNewest(offer));
    if (displaced.length > 0) this.#parts.offerAgain(displaced);
    for (const offer of homeless) if (isNewest(offer)) this.offered(offer);
  }

  #sayServes(offer: Offer, generation: number, ms: number, where: Readonly<Record<string, string>>): void {
    const denied = this.grantedTo(offer.name)?.denied ?? [];
    const words = denied.length === 0 ? '' : `; it asks for more than it gets: ${denied.join('; ')}`;
    this.#parts.report.info(`${offer.file} serves (generation ${generation}, ${ms} ms)${words}`, where);
  }
}
