import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { faultOf, type Leak, Lifetimes, type Policy, SluiceError } from '../runtime/index.js';
import { SandboxPool } from '../sandbox/index.js';
import { Admin } from './admin/admin.js';
import { notReady, type Readiness, readinessOf } from './admin/server/readiness.js';
import { catalogNews } from './catalog-news.js';
import type { Config } from './config/config.js';
import { North } from './north.js';
import { Catalog } from './plugins/catalog.js';
import { SignatureGate } from './plugins/signing/signature-gate.js';
import { Transpiler } from './plugins/transpiler.js';
import { VersionGate } from './plugins/version-gate.js';
import { PolicyControl } from './policy/policy-control.js';
import type { Route } from './route/route.js';
import { Router } from './route/router/router.js';
import { applyKeys } from './route/router/standing.js';
import { Origins } from './sinks/message-id.js';
import { South } from './south.js';
import { Durable } from './store/durable.js';
import { Ward } from './store/ward.js';
import type { Log } from './telemetry/log.js';
import { Metrics } from './telemetry/metrics.js';
import { Reporter } from './telemetry/reporter.js';

/** Sinks get this long for their confirmations even if the routes have used up the time for a stop. */
const LAST_WORD_MS = 500;

export interface GatewayOptions {
  readonly log: Log;
  /** Shows a text to who started the program, and to nobody else: a new token of the admin API. */
  readonly announce?: (text: string) => void;
}

/**
 * The composition root: builds all parts from a configuration, starts them downstream first and stops
 * them upstream first.
 */
export class Gateway {
  readonly metrics = new Metrics();
  readonly #config: Config;
  readonly #report: Reporter;
  readonly #lifetimes = new Lifetimes(leak => this.#leaked(leak));
  readonly #gate: SignatureGate;
  readonly #catalog: Catalog;
  readonly #pool: SandboxPool;
  readonly #policy: PolicyControl;
  readonly #north: North;
  readonly #south: South;
  readonly #router: Router;
  readonly #admin: Admin;
  /** Without a data folder nothing counts the starts: then the time has to tell them apart. */
  #origins = new Origins(hostname(), `t${Date.now().toString(36)}`);
  #durable: Durable | undefined;
  #ward: Ward | undefined;
  #runs = false;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, options: GatewayOptions) {
    this.#config = config;
    this.#report = new Reporter(options.log);
    this.#pool = new SandboxPool({
      threads: config.plugins.sandboxes,
      lifetimes: this.#lifetimes,
    });
    this.#policy = new PolicyControl({
      config: config.plugins.policy,
      report: this.#report,
      changed: policy => this.#policyChanged(policy),
      refused: (fault, file) => this.#admin.policyRefused(fault, file),
    });
    this.#north = new North({
      config,
      metrics: this.metrics,
      report: this.#report,
      spool: () => this.#durable?.spool,
      room: () => this.#router.pump(),
    });
    this.#south = new South({
      config,
      metrics: this.metrics,
      report: this.#report,
      policy: this.#policy.keeper,
      asReader: (name, source) => this.#north.asReader(name, source),
    });
    this.#router = new Router({
      plugins: config.plugins,
      policy: this.#policy.keeper,
      pool: this.#pool,
      sinks: this.#north.sinks,
      feeds: this.#south.sources,
      origins: () => this.#origins,
      states: () => this.#durable?.states,
      spool: () => this.#durable?.spool,
      metrics: this.metrics,
      report: this.#report,
      isolate: async poison => this.#ward?.isolate(poison),
      offerAgain: offers => this.#catalog.offerAgain(offers),
      connected: () => void this.#south.startLater(),
      changed: (route, change) => this.#admin.changed(route, change),
      swapped: outcome => this.#admin.swapped(outcome),
    });
    this.#gate = new SignatureGate({
      rule: config.plugins,
      data: config.data.dir,
      changed: () => this.#keysChanged(),
      report: (error, where) => this.#report.fault(error.toFault(), where),
    });
    const versions = new VersionGate({
      allowed: plugin => this.#policy.keeper.grantOf(plugin)?.downgrade ?? config.plugins.downgrade,
      served: plugin => this.#admin.served(plugin),
      takenBack: (plugin, fileHash) => this.#admin.takenBack(plugin, fileHash),
    });
    const events = catalogNews({
      router: this.#router,
      metrics: this.metrics,
      report: this.#report,
      shown: () => this.#admin.catalogEvents,
      isStopped: () => this.#stopped !== undefined,
    });
    const transpiler = new Transpiler(join(config.data.dir, 'components'));
    const { dir: folder } = config.plugins;
    this.#catalog = new Catalog({ folder, transpiler, signatures: this.#gate, versions, events });
    this.#admin = new Admin({
      config,
      router: this.#router,
      catalog: this.#catalog,
      sources: this.#south.sources,
      sinks: this.#north.sinks,
      metrics: this.metrics,
      report: this.#report,
      gate: this.#gate,
      versions,
      policy: this.#policy,
      ingest: (name, request, response) => this.#south.ingest(name, request, response),
      log: options.log,
      ward: () => this.#ward as Ward,
      ready: () => this.#ready(),
      settled: () => this.settled(),
      announce: options.announce ?? (() => {}),
    });
    this.#report.onFault = (fault, where) => this.#admin.fault(fault, where);
  }

  /** Port of the embedded broker, if it runs. */
  get brokerPort(): number | undefined {
    return this.#north.broker?.port;
  }

  get adminPort(): number | undefined {
    return this.#admin.port;
  }

  get routes(): readonly Route[] {
    return this.#router.routes;
  }

  /**
   * @throws SluiceError SLUICE_DATA_LOCKED, SLUICE_LISTEN_IN_USE and others of the start; what was started is
   * stopped again
   * @param signal it is to end already: sources that would be read without the files that were waited for do not start, and
   *   the reason of the signal is thrown
   */
  async start(signal?: AbortSignal): Promise<void> {
    try {
      await this.#openData(signal);
      signal?.throwIfAborted();
      await this.#north.start();
      await this.#south.make();
      for (const route of this.#config.routes) this.#router.add(route);
      await this.#gate.start();
      this.metrics.policy(this.#policy.keeper.current.version);
      await this.#policy.start();
      await this.#admin.start();
      await makeFolder(this.#config.plugins.dir);
      await this.settled(this.#catalog.start());
      await this.#admin.useLastGood();
      await this.#router.settled();
      this.#router.sayMissing();
      this.#sayUnclaimed();
      await this.#south.start();
      this.#south.sayUnused();
      this.#runs = true;
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
    const { broker } = this.#north;
    this.#report.info('sluice runs', {
      admin: `${this.#config.admin.tls === undefined ? 'http' : 'https'}://${this.#config.admin.host}:${this.#admin.port}`,
      plugins: this.#config.plugins.dir,
      ...(broker === undefined ? {} : { broker: broker.address }),
    });
  }

  /** All plugin files that are in the folder now are dealt with. */
  async settled(looked: Promise<void> = this.#catalog.refresh()): Promise<void> {
    await looked;
    await this.#router.settled();
  }

  /**
   * Sources first, then what is under way, then the sinks. Calls beyond the first wait for the first.
   * @param graceMs for what is under way and for the confirmations of the sinks
   */
  stop(graceMs = 5000): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs;
    const over = AbortSignal.timeout(graceMs);
    await this.#south.stop();
    await this.#gate.stop();
    await this.#policy.stop();
    await this.#catalog.stop();
    await Promise.all(this.#router.routes.map(route => route.stop(over)));
    const rest = Math.max(end - performance.now(), Math.min(graceMs, LAST_WORD_MS), 1);
    const abort = AbortSignal.timeout(Math.ceil(rest));
    await this.#north.stop(abort);
    for (const route of this.#router.routes) route.close();
    await this.#south.close();
    await this.#pool.close();
    await this.#admin.stop();
    await this.#north.close();
    this.#ward?.stop();
    await this.#durable?.close();
    this.#south.sayUndelivered();
    this.#report.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #leaked({ kind, name, madeAt, why }: Leak): void {
    if (why === undefined) this.metrics.leaked(kind);
    const now = why === undefined ? 'is closed now' : `cannot be closed now: ${why}`;
    const message = `a ${kind} of ${name} was never closed, and ${now}; it was made at ${madeAt}`;
    this.#report.fault({ code: 'SLUICE_LEAKED', message }, { kind, name }, 'error');
  }

  async #openData(signal: AbortSignal | undefined): Promise<void> {
    const metrics = this.metrics.quarantine();
    this.#durable = await Durable.open({
      data: this.#config.data,
      report: this.#report,
      metrics,
      lifetimes: this.#lifetimes,
      signal,
    });
    const { folder, quarantine } = this.#durable;
    if (folder !== undefined) this.#origins = new Origins(folder.gateway, folder.epoch);
    this.#ward = new Ward({
      quarantine,
      router: this.#router,
      metrics,
      report: this.#report,
      isolated: (poison, id) => this.#admin.isolated(poison, id),
    });
  }

  /** Frames wait for the plugins of a route that there is not any more. */
  #sayUnclaimed(): void {
    for (const [route, count] of this.#durable?.spool?.unclaimedFrames() ?? []) {
      const message = `${count} frames wait in the spool for the plugins of the route ${route}, which there is not`;
      this.#report.fault({ code: 'SLUICE_SPOOL_UNCLAIMED', message }, { route });
    }
  }

  /** The object is in its place; what it means for what runs follows from it. */
  #policyChanged(policy: Policy): void {
    this.metrics.policy(policy.version);
    this.#admin.policyChanged(policy.version);
    if (this.#stopped !== undefined) return;
    this.#router.policyChanged().catch((thrown: unknown) => {
      this.#report.fault(faultOf(thrown), {}, 'error');
    });
    this.#catalog.judgeAgain();
  }

  #keysChanged(): void {
    if (this.#stopped !== undefined) return;
    applyKeys({
      router: this.#router,
      gate: this.#gate,
      report: this.#report,
      stopped: (offer, error) => this.#admin.stopped(offer, error),
    });
    this.#catalog.judgeAgain();
  }

  #ready(): Readiness {
    if (this.#stopped !== undefined) return notReady('the gateway is stopping');
    if (!this.#runs) return notReady('the gateway is starting');
    return readinessOf(this.#router, this.#north.sinks, route => this.#ward?.waiting(route) ?? 0);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (thrown) {
    throw new SluiceError('SLUICE_PLUGIN_FOLDER', `plugins.dir: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}
