import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { faultOf, type Leak, Lifetimes, type Policy, SluiceError } from '../runtime/index.js';
import { SandboxPool } from '../sandbox/index.js';
import { Admin } from './admin/admin.js';
import { type Broker, startBroker } from './broker/broker.js';
import { leadsHere } from './broker/this-machine.js';
import type { Config, SinkConfig, SourceConfig } from './config/config.js';
import { Catalog, type CatalogEvents } from './plugins/catalog.js';
import { SignatureGate } from './plugins/signing/signature-gate.js';
import { Transpiler } from './plugins/transpiler.js';
import { VersionGate } from './plugins/version-gate.js';
import { PolicyControl } from './policy/policy-control.js';
import { AgeWatch } from './route/age-watch.js';
import { Feed } from './route/feed.js';
import type { Freshness } from './route/freshness.js';
import type { Route } from './route/route.js';
import type { RouteSink } from './route/route-parts.js';
import { Router } from './route/router.js';
import { applyKeys } from './route/standing.js';
import { Origins } from './sinks/message-id.js';
import type { MqttSinkConfig } from './sinks/mqtt/config.js';
import { MqttSink } from './sinks/mqtt/mqtt-sink.js';
import type { Sink } from './sinks/sink.js';
import { HttpSource } from './sources/http/http-source.js';
import { makeSource } from './sources/make-source.js';
import type { Source } from './sources/source.js';

import { DEFAULT_ROUTE_SPOOL } from './spool/route-spool.js';
import { SpooledSink } from './spool/spooled-sink.js';
import { Durable } from './store/durable.js';
import { Ward } from './store/ward.js';

import type { Log } from './telemetry/log.js';
import { Metrics } from './telemetry/metrics.js';
import { Reporter } from './telemetry/reporter.js';
import type { SinkMetrics } from './telemetry/sink-metrics.js';

/** Name of the sink that stands for the embedded broker. */
const EMBEDDED = 'embedded';
/** Sinks get this long for their confirmations even if the routes have used up the time for a stop. */
const LAST_WORD_MS = 500;

interface RunningSource {
  readonly feed: Feed;
  readonly source: Source;
  readonly kind: string;
  freshness: Freshness;
  started: boolean;
}

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
  readonly #sinks = new Map<string, RouteSink>();
  readonly #sources = new Map<string, RunningSource>();
  readonly #lifetimes = new Lifetimes(leak => this.#leaked(leak));
  readonly #gate: SignatureGate;
  readonly #catalog: Catalog;
  readonly #pool: SandboxPool;
  readonly #policy: PolicyControl;
  readonly #router: Router;
  readonly #admin: Admin;
  readonly #ages: AgeWatch;
  /** Without a data folder nothing counts the starts: then the time has to tell them apart. */
  #origins = new Origins(hostname(), `t${Date.now().toString(36)}`);
  #broker: Broker | undefined;
  #durable: Durable | undefined;
  #ward: Ward | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, options: GatewayOptions) {
    this.#config = config;
    this.#report = new Reporter(options.log);
    this.#ages = new AgeWatch({ rules: config.stale, metrics: this.metrics, report: this.#report });
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
    this.#router = new Router({
      plugins: config.plugins,
      policy: this.#policy.keeper,
      pool: this.#pool,
      sinks: this.#sinks,
      feeds: this.#sources,
      origins: () => this.#origins,
      states: () => this.#durable?.states,
      spool: () => this.#durable?.spool,
      metrics: this.metrics,
      report: this.#report,
      isolate: async poison => this.#ward?.isolate(poison),
      offerAgain: offers => this.#catalog.offerAgain(offers),
      connected: () => void this.#startLater(),
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
    const events: CatalogEvents = {
      offered: offer => {
        this.#admin.catalogEvents.offered(offer);
        if (this.#stopped === undefined) this.#router.offered(offer);
      },
      gone: (name, file) => {
        this.#admin.catalogEvents.gone(name, file);
        if (name === undefined) return;
        const still = this.#router.offers.get(name)?.file === file;
        let then = 'no route uses it';
        if (this.#router.uses(name)) {
          then = still
            ? 'the version of it in memory serves on until the gateway stops'
            : 'its routes wait for another file';
        }
        this.#report.info(`${file} (${name}) is gone; ${then}`, { plugin: name });
      },
      refused: (file, error) => {
        this.metrics.fileRefused(error.code);
        this.#admin.catalogEvents.refused(file, error);
        if (this.#stopped === undefined) this.#report.refused(error.toFault(), { file });
      },
      back: folder => {
        this.#admin.catalogEvents.back(folder);
        this.#report.info(`the plugin folder ${folder} is there again`);
      },
    };
    const transpiler = new Transpiler(join(config.data.dir, 'components'));
    const { dir: folder } = config.plugins;
    this.#catalog = new Catalog({ folder, transpiler, signatures: this.#gate, versions, events });
    this.#admin = new Admin({
      config,
      router: this.#router,
      catalog: this.#catalog,
      sources: this.#sources,
      sinks: this.#sinks,
      metrics: this.metrics,
      report: this.#report,
      gate: this.#gate,
      versions,
      policy: this.#policy,
      ingest: (name, request, response) => {
        const source = this.#sources.get(name)?.source;
        if (!(source instanceof HttpSource) || !source.isShared) return false;
        source.handle(request, response);
        return true;
      },
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
    return this.#broker?.port;
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
   */
  async start(): Promise<void> {
    try {
      await this.#openData();
      await this.#startSinks();
      for (const [name, source] of this.#config.sources) {
        const feed = new Feed(name, this.metrics.source(name), this.#report);
        const made = makeSource(name, await this.#readsBroker(name, source), feed, this.#policy.keeper);
        feed.source = made.source;
        const freshness = this.#ages.of(name, feed, made.source);
        this.#sources.set(name, { feed, ...made, freshness, started: false });
      }
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
      await this.#startSources();
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
    this.#report.info('sluice runs', {
      admin: `${this.#config.admin.tls === undefined ? 'http' : 'https'}://${this.#config.admin.host}:${this.#admin.port}`,
      plugins: this.#config.plugins.dir,
      ...(this.#broker === undefined ? {} : { broker: this.#broker.address }),
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
    this.#ages.stop();
    const over = AbortSignal.timeout(graceMs);
    for (const { feed } of this.#sources.values()) feed.stopping();
    await Promise.all([...this.#sources.values()].map(({ source }) => source.stop()));
    await this.#gate.stop();
    await this.#policy.stop();
    await this.#catalog.stop();
    await Promise.all(this.#router.routes.map(route => route.stop(over)));
    const rest = Math.max(end - performance.now(), Math.min(graceMs, LAST_WORD_MS), 1);
    const abort = AbortSignal.timeout(Math.ceil(rest));
    await Promise.all([...this.#sinks.values()].map(({ sink }) => sink.stop(abort)));
    for (const route of this.#router.routes) route.close();
    await Promise.all([...this.#sources.values()].map(({ source }) => source.close?.()));
    await this.#pool.close();
    await this.#admin.stop();
    await this.#broker?.stop();
    await this.#durable?.close();
    for (const { feed } of this.#sources.values()) feed.sayUndelivered();
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

  async #openData(): Promise<void> {
    const metrics = this.metrics.quarantine();
    this.#durable = await Durable.open({
      data: this.#config.data,
      report: this.#report,
      metrics,
      lifetimes: this.#lifetimes,
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

  async #startSinks(): Promise<void> {
    const configs = new Map(this.#config.sinks);
    // In this process: it is never away.
    if (this.#config.bringsBroker) {
      const mqtt = await this.#startBroker(configs.size === 0);
      if (configs.size === 0) configs.set(EMBEDDED, { mqtt, spool: undefined });
    }
    for (const [name, config] of configs) {
      const messages = this.metrics.sink(name);
      const sink = this.#makeSink(name, config, messages);
      sink.onRoom = () => this.#router.pump();
      this.#sinks.set(name, { name, sink, metrics: messages });
      await sink.start();
    }
    for (const [name, count] of this.#durable?.spool?.unclaimed() ?? []) {
      const message = `${count} messages wait in the spool for the sink ${name}, which is not configured or has no spool`;
      this.#report.fault({ code: 'SLUICE_SPOOL_UNCLAIMED', message }, { sink: name });
    }
  }

  /**
   * A source that reads the embedded broker has a session there, whatever its configuration says of it: what devices
   * publish is acknowledged by its word.
   */
  async #readsBroker(name: string, source: SourceConfig): Promise<SourceConfig> {
    const { mqtt } = source;
    if (mqtt === undefined || this.#broker === undefined) return source;
    if (!(await leadsHere(mqtt.url, this.#broker.port))) return source;
    const clientId = mqtt.clientId ?? `sluice-${name}`;
    this.#broker.held.source(clientId);
    return { ...source, mqtt: { ...mqtt, clientId, marksPeers: true, ends: this.#broker.ends } };
  }

  /** Frames wait for the plugins of a route that there is not any more. */
  #sayUnclaimed(): void {
    for (const [route, count] of this.#durable?.spool?.unclaimedFrames() ?? []) {
      const message = `${count} frames wait in the spool for the plugins of the route ${route}, which there is not`;
      this.#report.fault({ code: 'SLUICE_SPOOL_UNCLAIMED', message }, { route });
    }
  }

  #makeSink(name: string, { mqtt, spool: wanted }: SinkConfig, messages: SinkMetrics): Sink {
    const sink = new MqttSink(
      name,
      { ...mqtt, ends: this.#broker?.ends },
      {
        failed: fault => {
          messages.failed(fault.code);
          this.#report.fault(fault, { sink: name });
        },
        connected: () => this.#report.connected({ sink: name }, `${name}: connected to ${peerOf(mqtt.url)}`),
        retried: count => messages.retried(count),
      },
    );
    this.#broker?.held.sink(sink.clientId);
    const spool = this.#durable?.spool;
    if (wanted === undefined || spool === undefined) return sink;
    const routes = new Map(this.#config.routes.map(route => [route.name, route.spool]));
    return new SpooledSink(sink, {
      name,
      rate: wanted.rate,
      routeOf: route => routes.get(route) ?? DEFAULT_ROUTE_SPOOL,
      spool,
      messages,
      metrics: this.metrics.spool(name),
      report: fault => {
        messages.failed(fault.code);
        this.#report.fault(fault, { sink: name });
      },
    });
  }

  /** @param alone no sink is configured, so nobody asked for it */
  async #startBroker(alone: boolean): Promise<MqttSinkConfig> {
    const { host, port } = this.#config.broker;
    const where = { broker: `${host}:${port}` };
    try {
      this.#broker = await startBroker(this.#config.broker, {
        refused: (reason, message, peer) => {
          this.metrics.brokerRefused(reason);
          this.#report.fault(
            { code: 'SLUICE_BROKER_REFUSED', message: `broker: ${message}` },
            { ...where, peer },
          );
        },
        renewed: () => this.#report.info('the embedded broker has a new certificate', where),
        failed: fault => this.#report.fault(fault, where),
      });
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_LISTEN_IN_USE' || !alone) throw thrown;
      throw new SluiceError(
        thrown.code,
        `no sinks are configured, so the embedded MQTT broker has to listen on ${host}:${port}, and that port is in use: if a broker runs there, name it: sinks: { plant: { mqtt: { url: "mqtt://127.0.0.1:${port}" } } }; else choose another port: broker: { port: ${port + 1} }`,
        { cause: thrown },
      );
    }
    return { url: this.#broker.url, version: 4, ...this.#broker.own };
  }

  async #startSources(): Promise<void> {
    for (const [name, running] of this.#sources) {
      if (running.started || running.feed.routes === 0 || this.#stopped !== undefined) continue;
      running.started = true;
      try {
        running.freshness = this.#ages.started(name, running.feed, running.source);
        await running.source.start();
      } catch (thrown) {
        this.#ages.forget(running.freshness);
        // Tried again when the next plugin comes.
        running.started = false;
        throw thrown;
      }
    }
  }

  /** A plugin that came later has brought a route: what its sources cannot do is said, and ends nothing. */
  async #startLater(): Promise<void> {
    try {
      await this.#startSources();
    } catch (thrown) {
      this.#report.fault(faultOf(thrown), {}, 'error');
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

  #ready(): { ready: boolean; reasons: string[] } {
    const reasons =
      this.#stopped === undefined
        ? [...this.#router.reasons(), ...[...this.#sinks.values()].flatMap(reasonOfSink)]
        : ['the gateway is stopping'];
    return { ready: reasons.length === 0, reasons };
  }
}

/** Why what is for a sink can be neither delivered nor spooled; nothing: it can. */
function reasonOfSink({ name, sink }: RouteSink): string[] {
  const { state, spool } = sink.state();
  if (state === 'connected' || spool?.fault === undefined) return [];
  return [`sink ${name} is away, and its messages cannot be put on the disk: ${spool.fault.message}`];
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

/** A broker's address without the credentials that may stand in its URL. */
function peerOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
