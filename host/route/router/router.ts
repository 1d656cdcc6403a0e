import type { Granted, SluiceError } from '../../../runtime/index.js';
import type { SlotChange } from '../../../sandbox/index.js';
import type { RouteConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import { TopicFilter } from '../../protocols/mqtt-wire/topic-filter.js';
import { DEFAULT_ROUTE_SPOOL } from '../../spool/route-spool.js';
import { Replay } from '../replay.js';
import { Route } from '../route.js';
import { grantedTo } from './chain-of.js';
import { Enforcement } from './enforcement.js';
import { type RouteStatus, statusOf } from './route-status.js';
import { type RouteTrouble, troubleOf } from './route-trouble.js';
import type { RouterParts } from './router-parts.js';
import { names, type RunningRoute, serves } from './running-route.js';
import { Shelf } from './shelf.js';
import { Swaps } from './swaps.js';

/** A slot that is halted gets this long for what it is at; then it is ended. */
const HALT_MS = 5000;

/** Decides which plugin runs where: the routes, what the folder offers, and the swaps between them. */
export class Router {
  readonly #parts: RouterParts;
  readonly #routes: RunningRoute[] = [];
  readonly #shelf = new Shelf();
  readonly #swaps: Swaps;
  readonly #enforcement: Enforcement;
  /** Plugins of which the next offer may be the one that serves. */
  readonly #back = new Set<string>();
  /** Offers that had a route of their own until the policy refused them. */
  readonly #homeless = new Set<Offer>();
  #turn = 0;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    const shelf = this.#shelf;
    this.#swaps = new Swaps({
      ...parts,
      shelf,
      grantedTo: plugin => this.grantedTo(plugin),
      refused: running => this.#leaveUnserved(running),
      useless: (running, offer, error) => this.#takeAway(running, offer, error),
      outdated: running => this.#enforcement.on(running),
    });
    this.#enforcement = new Enforcement({
      shelf,
      swaps: this.#swaps,
      stopped: running => this.#leaveUnserved(running),
      offerAgain: offers => parts.offerAgain(offers),
    });
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
    this.#shelf.put(offer);
    if (!this.uses(offer.name)) this.#routeByItself(offer);
    for (const running of this.#routes) {
      if (!names(running.steps, offer.name) || (back && serves(running, offer))) continue;
      this.#swaps.begin(running, offer);
    }
  }

  /** Runs what is offered of this plugin once more, as a fresh generation. */
  again(plugin: string): void {
    const offer = this.offers.get(plugin);
    if (offer !== undefined) this.offered(offer);
  }

  /** The file that served before is about to be put back: where it still serves nothing is swapped. */
  putBack(plugin: string): void {
    this.#back.add(plugin);
  }

  /** The plugin runs no more: frames of its routes wait on the disk, or are refused, as behind an open breaker. */
  disable(plugin: string): Promise<void> {
    this.#shelf.disable(plugin);
    return this.#halt(plugin);
  }

  enable(plugin: string): void {
    if (this.#shelf.enable(plugin)) this.again(plugin);
  }

  /** The plugin is taken away: its routes wait for another file. */
  forget(plugin: string): Promise<void> {
    this.#shelf.remove(plugin);
    return this.#halt(plugin);
  }

  /**
   * Another policy is in force: what it forbids is ended at once, and the frames of its routes wait; what was refused
   * under the one before gets another chance; all else goes on undisturbed. Resolves when all of that is done.
   */
  async policyChanged(): Promise<void> {
    const work = Promise.all(this.#routes.map(running => this.#enforcement.on(running)));
    const tracked = this.#swaps.track(work.then(() => {}));
    const homeless = [...this.#homeless];
    this.#homeless.clear();
    for (const offer of this.#enforcement.stillNewest(homeless)) this.offered(offer);
    await tracked;
  }

  /** What this plugin gets by the policy that is in force; undefined: nobody offers it. */
  grantedTo(plugin: string): Granted | undefined {
    const offer = this.offers.get(plugin);
    const step = this.#routes.flatMap(({ steps }) => steps).find(each => each.plugin === plugin);
    const { plugins, policy } = this.#parts;
    return offer && grantedTo(offer, plugins, policy.current, step?.deadlineMs);
  }

  isDisabled(plugin: string): boolean {
    return this.#shelf.disabled.has(plugin);
  }

  /** What the folder offers, by plugin. */
  get offers(): ReadonlyMap<string, Offer> {
    return this.#shelf.offers;
  }

  status(): readonly RouteStatus[] {
    return this.#routes.map(running => statusOf(running, this.offers, this.#shelf.disabled));
  }

  /** The way into a route for frames that went through it before. */
  replayOf(route: string): Replay | undefined {
    return this.#routes.find(({ config }) => config.name === route)?.replay;
  }

  /** The swaps that are under way have ended. */
  async settled(): Promise<void> {
    await this.#swaps.settled();
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
      for (const plugin of this.#shelf.missing(steps)) {
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
    const { missing, disabled } = statusOf(running, this.offers, this.#shelf.disabled);
    const [plugin = running.steps[0]?.plugin ?? ''] = [...missing, ...disabled];
    const why =
      missing.length > 0 ? 'is not in the folder' : disabled.length > 0 ? 'is disabled' : 'is refused';
    route.leaveUnserved({ code: 'SLUICE_ROUTE_UNSERVED', message: `the plugin ${plugin} ${why}`, plugin });
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

  /** A route that never ran. */
  #takeAway(running: RunningRoute, offer: Offer, error: SluiceError): void {
    running.route.close();
    const at = this.#routes.indexOf(running);
    // Of two that waited for each other the first has taken it away already.
    if (at >= 0) this.#routes.splice(at, 1);
    if (error.step === 'admit') this.#homeless.add(offer);
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
}
