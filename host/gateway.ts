import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS, SluiceError } from '../runtime/index.js';
import { type ChainSpec, SandboxPool } from '../sandbox/index.js';
import { type Admin, startAdmin } from './admin/server.js';
import { type Broker, startBroker } from './broker/broker.js';
import type { Config, RouteConfig, StepConfig } from './config/config.js';
import { Catalog, type Offer } from './plugins/catalog.js';
import { Transpiler } from './plugins/transpiler.js';
import { Feed } from './route/feed.js';
import { Route, type RouteSink } from './route/route.js';
import { MqttSink } from './sinks/mqtt/mqtt-sink.js';
import { ModbusSource } from './sources/modbus/modbus-source.js';
import type { Source } from './sources/source.js';
import type { Log } from './telemetry/log.js';
import { Metrics } from './telemetry/metrics.js';
import { Reporter } from './telemetry/reporter.js';

/** Name of the sink that stands for the embedded broker. */
const EMBEDDED = 'embedded';

interface RunningSource {
  readonly feed: Feed;
  readonly source: Source;
  readonly kind: string;
  started: boolean;
}

interface RunningRoute {
  readonly route: Route;
  readonly steps: readonly StepConfig[];
}

export interface GatewayOptions {
  readonly log: Log;
  /** Port of the embedded broker, where one is needed; 0: any. Default 1883. */
  readonly brokerPort?: number;
}

/**
 * The composition root: builds all parts from a configuration, starts them downstream first and stops
 * them upstream first.
 */
export class Gateway {
  readonly metrics = new Metrics();
  readonly #config: Config;
  readonly #options: GatewayOptions;
  readonly #report: Reporter;
  readonly #sinks = new Map<string, RouteSink>();
  readonly #sources = new Map<string, RunningSource>();
  readonly #routes: RunningRoute[] = [];
  readonly #offers = new Map<string, Offer>();
  readonly #catalog: Catalog;
  readonly #pool: SandboxPool;
  readonly #swaps = new Set<Promise<void>>();
  #broker: Broker | undefined;
  #admin: Admin | undefined;
  #stopping = false;

  constructor(config: Config, options: GatewayOptions) {
    this.#config = config;
    this.#options = options;
    this.#report = new Reporter(options.log);
    this.#pool = new SandboxPool({ threads: config.plugins.sandboxes });
    this.#catalog = new Catalog(config.plugins.dir, new Transpiler(join(config.data.dir, 'components')), {
      offered: offer => this.#offered(offer),
      gone: (name, file) =>
        this.#report.info(
          `${file} is gone; the version of ${name} in memory serves on until the gateway stops`,
          { plugin: name },
        ),
      refused: (file, error) => this.#report.fault(error.toFault(), { file }, 'error'),
    });
  }

  /** Port of the embedded broker, if it runs. */
  get brokerPort(): number | undefined {
    return this.#broker?.port;
  }

  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  get routes(): readonly Route[] {
    return this.#routes.map(({ route }) => route);
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE and others of the start; what was started is stopped again */
  async start(): Promise<void> {
    try {
      await this.#startSinks();
      for (const [name, source] of this.#config.sources) {
        const feed = new Feed(name, this.metrics.source(name), this.#report);
        const modbus = new ModbusSource(name, source.modbus, feed);
        feed.source = modbus;
        this.#sources.set(name, { feed, source: modbus, kind: 'modbus', started: false });
      }
      for (const route of this.#config.routes) this.#addRoute(route);
      const { host, port } = this.#config.admin;
      this.#admin = await startAdmin({
        host,
        port,
        metrics: this.metrics,
        ready: () => this.#ready(),
        log: this.#options.log,
      });
      await mkdir(this.#config.plugins.dir, { recursive: true });
      await this.#catalog.start();
      await Promise.all(this.#swaps);
      this.#sayMissing();
      await this.#startSources();
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
    this.#report.info('sluice runs', {
      admin: `http://${this.#config.admin.host}:${this.#admin.port}`,
      plugins: this.#config.plugins.dir,
      ...(this.#broker === undefined ? {} : { broker: `mqtt://127.0.0.1:${this.#broker.port}` }),
    });
  }

  /** All plugin files that are in the folder now are dealt with. */
  async settled(): Promise<void> {
    await this.#catalog.refresh();
    await Promise.all(this.#swaps);
  }

  /** Sources first, then what is under way, then the sinks. @param graceMs for confirmations of the sinks */
  async stop(graceMs = 5000): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await Promise.all([...this.#sources.values()].map(({ source }) => source.stop()));
    await this.#catalog.stop();
    await Promise.all(this.#routes.map(({ route }) => route.slot.stop(Math.max(graceMs, 100))));
    for (const { route } of this.#routes) route.pump();
    const abort = AbortSignal.timeout(Math.max(graceMs, 1));
    await Promise.all([...this.#sinks.values()].map(({ sink }) => sink.stop(abort)));
    await this.#pool.close();
    await this.#admin?.stop();
    await this.#broker?.stop();
    this.#report.flush();
  }

  async #startSinks(): Promise<void> {
    const configs = new Map([...this.#config.sinks].map(([name, { mqtt }]) => [name, mqtt]));
    if (configs.size === 0) {
      this.#broker = await startBroker({ host: '127.0.0.1', port: this.#options.brokerPort ?? 1883 });
      configs.set(EMBEDDED, { url: `mqtt://127.0.0.1:${this.#broker.port}`, version: 4 });
    }
    for (const [name, config] of configs) {
      const metrics = this.metrics.sink(name);
      const sink = new MqttSink(name, config, {
        failed: fault => {
          metrics.failed(fault.code);
          this.#report.fault(fault, { sink: name });
        },
        retried: count => metrics.retried(count),
      });
      sink.onRoom = () => {
        for (const { route } of this.#routes) route.pump();
      };
      this.#sinks.set(name, { name, sink, metrics });
      await sink.start();
    }
  }

  #addRoute(config: RouteConfig): RunningRoute {
    const to = config.to.length === 0 ? [...this.#sinks.keys()] : config.to;
    const sinks = to.map(name => this.#sinks.get(name) as RouteSink);
    const route = new Route(config.name, this.#pool, sinks, this.metrics, this.#report);
    for (const name of config.from) this.#sources.get(name)?.feed.connect(route);
    const running = { route, steps: config.through };
    this.#routes.push(running);
    return running;
  }

  /** A file came or changed: every route that names its plugin gets a new generation. */
  #offered(offer: Offer): void {
    if (this.#stopping) return;
    this.#offers.set(offer.name, offer);
    if (!this.#routes.some(({ steps }) => steps.some(step => step.plugin === offer.name)))
      this.#routeByItself(offer);
    for (const running of this.#routes) {
      if (!running.steps.some(step => step.plugin === offer.name)) continue;
      const swap = this.#swap(running, offer).finally(() => this.#swaps.delete(swap));
      this.#swaps.add(swap);
    }
  }

  async #swap({ route, steps }: RunningRoute, offer: Offer): Promise<void> {
    const spec = this.#chain(steps);
    if (spec === undefined) return;
    const began = performance.now();
    const where = { route: route.name, plugin: offer.name, version: offer.manifest.version };
    try {
      await route.swap(spec);
      const ms = Math.round(performance.now() - began);
      this.#report.info(`${offer.file} serves (generation ${route.slot.generation}, ${ms} ms)`, where);
      this.metrics.sandboxes(this.#pool.size);
    } catch (thrown) {
      const error =
        thrown instanceof SluiceError ? thrown : new SluiceError('SLUICE_INTERNAL', String(thrown));
      const serving =
        route.slot.generation === 0 ? 'nothing serves this route yet' : 'the version before it serves on';
      this.metrics.plugin(offer.name).faulted(offer.manifest.version, error.code);
      this.#report.fault(
        {
          ...error.toFault(),
          message: `${offer.file} is refused: ${error.message}; ${serving}. ${error.remedy}`,
        },
        where,
        'error',
      );
    }
  }

  /** The chain of a route from what the folder offers; undefined while a plugin is missing. */
  #chain(steps: readonly StepConfig[]): ChainSpec | undefined {
    const { plugins } = this.#config;
    const stages = [];
    let output: number = LIMITS.output;
    for (const step of steps) {
      const offer = this.#offers.get(step.plugin);
      if (offer === undefined) return undefined;
      const { name, version, kind, limits } = offer.manifest;
      output = Math.min(output, limits.output ?? output);
      stages.push({
        plugin: name,
        version,
        kind,
        config: step.config,
        code: offer.code,
        deadlineMs: Math.min(step.deadlineMs, limits.deadline ?? step.deadlineMs),
        grants: { memory: Math.min(plugins.memoryBytes, limits.memory ?? plugins.memoryBytes) },
      });
    }
    return { stages, startDeadlineMs: plugins.startDeadlineMs, output };
  }

  /** No route names it: it runs if exactly one of its `accepts` fits a kind of source, to all sinks. */
  #routeByItself({ name, manifest }: Offer): void {
    const kinds = new Set([...this.#sources.values()].map(({ kind }) => kind));
    const fits = manifest.accepts.filter(kind => kinds.has(kind));
    if (fits.length !== 1) {
      const message = `no route names ${name}, and its accepts (${manifest.accepts.join(', ') || 'none'}) fit ${fits.length} kinds of source`;
      this.#report.fault({ code: 'SLUICE_PLUGIN_UNUSED', message, plugin: name }, {});
      return;
    }
    const from = [...this.#sources].filter(([, { kind }]) => kind === fits[0]).map(([source]) => source);
    this.#report.info(
      `no route names ${name}; it runs for ${from.join(', ')} to all sinks, as its accepts fit`,
      { plugin: name },
    );
    const { deadlineMs } = this.#config.plugins;
    this.#addRoute({ name, from, through: [{ plugin: name, config: '{}', deadlineMs }], to: [] });
    if ([...this.#sources.values()].some(({ started }) => started)) void this.#startSources();
  }

  #sayMissing(): void {
    for (const { route, steps } of this.#routes) {
      for (const { plugin } of steps) {
        if (this.#offers.has(plugin)) continue;
        const message = `the route ${route.name} waits for the plugin ${plugin}: no file in ${this.#config.plugins.dir} carries it`;
        this.#report.fault(
          { code: 'SLUICE_PLUGIN_UNKNOWN', message, plugin },
          { route: route.name },
          'error',
        );
      }
    }
  }

  async #startSources(): Promise<void> {
    for (const running of this.#sources.values()) {
      if (running.started || running.feed.routes === 0) continue;
      running.started = true;
      await running.source.start();
    }
  }

  #ready(): { ready: boolean; reasons: string[] } {
    const reasons = this.#routes
      .filter(({ route }) => route.slot.state !== 'serving')
      .map(({ route }) => `route ${route.name}: ${route.slot.state}`);
    if (this.#routes.length === 0)
      reasons.push('no route: the plugin folder holds no plugin that fits a source');
    return { ready: reasons.length === 0, reasons };
  }
}
