import { readFileSync } from 'node:fs';
import { type Fault, faultOf, type SluiceError } from '../../runtime/index.js';
import type { SlotChange } from '../../sandbox/index.js';
import type { Config } from '../config/config.js';
import type { Catalog, CatalogEvents } from '../plugins/catalog.js';
import type { Offer } from '../plugins/offer.js';
import type { SignatureGate } from '../plugins/signing/signature-gate.js';
import type { VersionGate } from '../plugins/version-gate.js';
import type { PolicyControl } from '../policy/policy-control.js';
import type { RouteSink } from '../route/route-parts.js';
import type { Router } from '../route/router/router.js';
import type { SwapOutcome } from '../route/router/router-parts.js';
import type { Poison } from '../store/quarantine.js';
import type { Ward } from '../store/ward.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import { Audit } from './events/audit.js';
import { EventStreams } from './events/event-streams.js';
import { EventHub } from './events/events.js';
import { LeftOut } from './events/left-out.js';
import { Rates } from './events/rates.js';
import { Sampler } from './events/sampler.js';
import { LastGood, type LastGoodParts } from './plugins/last-good.js';
import { PluginBoard } from './plugins/plugin-board.js';
import { PluginChanges } from './plugins/plugin-changes.js';
import { PluginStore } from './plugins/plugin-store.js';
import { removeTemporaries } from './plugins/upload.js';
import { policyResources } from './resources/policy-resources.js';
import { quarantineResources } from './resources/quarantine-resources.js';
import { v1Resources } from './resources/v1.js';
import type { SourceParts } from './resources/views.js';
import type { Readiness } from './server/readiness.js';
import { type Server, type ServerOptions, startServer } from './server/server.js';
import { storedToken, Token } from './server/token.js';

export interface AdminParts {
  readonly config: Config;
  readonly router: Router;
  readonly catalog: Catalog;
  readonly sources: ReadonlyMap<string, SourceParts>;
  readonly sinks: ReadonlyMap<string, RouteSink>;
  readonly metrics: Metrics;
  readonly report: Reporter;
  readonly gate: SignatureGate;
  readonly versions: VersionGate;
  readonly policy: PolicyControl;
  readonly ingest: ServerOptions['ingest'];
  readonly log: Log;
  /** From the start on. */
  readonly ward: () => Ward;
  readonly ready: () => Readiness;
  /** All files that are in the folder now are dealt with, and the swaps they led to are over. */
  readonly settled: () => Promise<void>;
  /** Shows a text to who started the program, and to nobody else: it holds the token. */
  readonly announce: (text: string) => void;
}

/** The admin API: what the gateway tells it of, what it shows of that, and what it does when asked. */
export class Admin {
  readonly board: PluginBoard;
  readonly #parts: AdminParts;
  readonly #hub = new EventHub();
  readonly #rates = new Rates();
  readonly #leftOut = new LeftOut();
  readonly #store: PluginStore;
  readonly #changes: PluginChanges;
  readonly #audit: Audit;
  readonly #lastGood: LastGood;
  readonly #sampler: Sampler;
  readonly #streams: EventStreams;
  #server: Server | undefined;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    const { config, router, metrics, log } = parts;
    const { dir } = config.data;
    const hub = this.#hub;
    const rates = this.#rates;
    const store = new PluginStore(dir);
    this.#store = store;
    const board = new PluginBoard({
      router,
      metrics,
      rates,
      hub,
      previous: name => store.previous(name),
      fileOf: name => parts.catalog.fileOf(name),
      signatureOf: offer => parts.gate.view(offer),
    });
    this.board = board;
    const folder = config.plugins.dir;
    const audit = new Audit(dir, log);
    this.#audit = audit;
    this.#changes = new PluginChanges({ ...parts, config: config.admin, folder, board, store, audit, hub });
    const between: LastGoodParts['between'] = work => this.#changes.between(work);
    this.#lastGood = new LastGood({ ...parts, store, board, between });
    this.#sampler = new Sampler({ ...parts, rates, hub });
    this.#streams = new EventStreams(hub, { dropped: () => metrics.eventClientDropped() });
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Of the router. */
  swapped(outcome: SwapOutcome): void {
    this.board.swapped(outcome);
    if (outcome.fault === undefined) this.#changes.keep(outcome.offer);
    else if (outcome.takenBack) this.#changes.takenBack(outcome.offer, outcome.fault.code);
    if (outcome.fault !== undefined) void this.#lastGood.consider();
  }

  /** Of the gateway: what ran has to run no more. */
  stopped(offer: Offer, error: SluiceError): void {
    this.board.stopped(offer, error);
  }

  /** The version of a plugin that served last, also before a restart. */
  served(plugin: string): string | undefined {
    return this.#store.served(plugin);
  }

  /** Why a file of a plugin was taken back by itself, also before a restart. */
  takenBack(plugin: string, fileHash: string): string | undefined {
    return this.#store.failureOf(plugin, fileHash);
  }

  /** When all files of the folder have been dealt with: what takes the place of those that were refused. */
  useLastGood(): Promise<void> {
    return this.#lastGood.start();
  }

  /** Of the router: who serves, and the breakers. */
  changed(route: string, change: SlotChange): void {
    const { kind, generation } = change;
    if (kind === 'opened' && !change.again) {
      const { plugin, fault } = change.cause;
      const { code, message } = fault;
      this.#hub.emit({ type: 'breaker.opened', plugin, route, code, message });
    }
    if (kind === 'rolled-back') {
      const { plugin, fault, back } = change;
      const { code, message } = fault;
      this.#hub.emit({
        type: 'plugin.rolled-back',
        plugin,
        route,
        generation: back.number,
        code,
        message,
      });
    }
    if (kind !== 'half-open' && kind !== 'closed') return;
    for (const { plugin } of generation.spec.stages)
      this.#hub.emit({ type: `breaker.${kind}`, plugin, route });
  }

  /** Another policy is in force. */
  policyChanged(version: number): void {
    this.#hub.emit({ type: 'policy.changed', version });
  }

  policyRefused({ code, message }: Fault, file: string): void {
    this.#hub.emit({ type: 'policy.refused', file, code, message });
  }

  /** Of the catalogue, before the gateway does anything about it. */
  readonly catalogEvents: CatalogEvents = {
    offered: offer => this.board.offered(offer),
    gone: (_name, file) => this.board.gone(file),
    back: folder => this.board.gone(folder),
    refused: (file, error) => {
      this.board.unusable(file, error);
      void this.#lastGood.consider();
    },
  };

  /** Of everybody, by the reporter. */
  fault(fault: Fault, where: Readonly<Record<string, string>>): void {
    const { code, message } = fault;
    const { source, sink } = where;
    if (code.startsWith('SLUICE_SOURCE_') && source !== undefined) {
      if (!this.#leftOut.isNew(code, source)) return;
      this.#hub.emit({ type: 'source.failed', source, code, message });
    } else if (code.startsWith('SLUICE_SINK_') && sink !== undefined)
      this.#hub.emit({ type: 'sink.failed', sink, code, message });
    else this.board.fault(fault, where);
  }

  /** A frame went into quarantine. */
  isolated(poison: Poison, id: number): void {
    this.board.isolated(poison, id);
  }

  /**
   * Before the plugin folder is looked at: what is disabled must not run first.
   * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED
   */
  async start(): Promise<void> {
    const { config, router, metrics, report, ready, policy, ingest } = this.#parts;
    const enforced = (): Promise<void> => router.settled();
    const { host, port, uploads, tls } = config.admin;
    const damaged = (plugin: string, file: string): void => {
      const message = `what is kept of versions of ${plugin} cannot be read and is ${file} now; it cannot be rolled back until it has had another`;
      report.fault({ code: 'SLUICE_STORE_DAMAGED', message, plugin }, { file }, 'error');
    };
    for (const name of await this.#store.open(damaged)) await router.disable(name);
    if (uploads) await removeTemporaries(config.plugins.dir);
    const version = packageVersion();
    const shown = { version, node: process.versions.node, uploads };
    const v1 = v1Resources({
      ...this.#parts,
      board: this.board,
      changes: this.#changes,
      rates: this.#rates,
      streams: this.#streams,
      version: shown,
    });
    const quarantine = quarantineResources({ ward: this.#parts.ward(), audit: this.#audit });
    const { token, show } = await this.#token();
    this.#server = await startServer({
      host,
      port,
      token: new Token(token),
      tls,
      metrics,
      ready,
      report,
      policy: policy.keeper,
      ingest,
      version,
      resources: [...v1, ...quarantine, ...policyResources({ policy, audit: this.#audit, enforced })],
    });
    show?.(this.#server.port);
    this.#sampler.start();
  }

  async stop(): Promise<void> {
    this.#lastGood.stop();
    this.#sampler.stop();
    this.#streams.stop();
    await this.#server?.stop();
    await this.#changes.settled();
  }

  /** The configured one, else the stored one; one that was just made is shown. */
  async #token(): Promise<{ token: string; show?: (port: number) => void }> {
    const { config, announce, report } = this.#parts;
    const { token, host, tls } = config.admin;
    const scheme = tls === undefined ? 'http' : 'https';
    if (token !== undefined) return { token };
    try {
      const { text, file, fresh } = await storedToken(config.data.dir);
      if (!fresh) return { token: text };
      const show = (port: number): void => {
        report.info(`the token for the admin API was made, and is kept in ${file}`);
        announce(
          `\nThe admin API has a new token, which is shown this once and kept in ${file}:\n\n  ${text}\n\nTry it:\n\n  curl -H "Authorization: Bearer $(cat ${file})" ${scheme}://${host}:${port}/v1/plugins\n\n`,
        );
      };
      return { token: text, show };
    } catch (thrown) {
      // The gateway's work does not need it: nobody gets in, and the log says why.
      report.fault(faultOf(thrown), {}, 'error');
      return { token: crypto.randomUUID() };
    }
  }
}

function packageVersion(): string {
  // From dist/host/admin/ up to the package.
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
