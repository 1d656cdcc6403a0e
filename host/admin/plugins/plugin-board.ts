import { type Fault, type Granted, isRefusal, type SluiceError } from '../../../runtime/index.js';
import type { Offer } from '../../plugins/offer.js';
import type { SignatureView } from '../../plugins/signing/signature-gate.js';
import type { RouteStatus } from '../../route/router/route-status.js';
import type { Router } from '../../route/router/router.js';
import type { SwapOutcome } from '../../route/router/router-parts.js';
import type { Poison } from '../../store/quarantine.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { EventHub } from '../events/events.js';
import type { Rates } from '../events/rates.js';
import type { PluginView } from '../schemas/schemas.js';
import { worstBreaker } from './breaker-view.js';
import type { Kept } from './plugin-store.js';

/** One event of this kind for a plugin in this time: a plugin can fail at every frame. */
const FAULT_EVERY_MS = 1000;

interface Refusal {
  readonly fault: Fault;
  readonly file: string;
  readonly version?: string;
}

interface LastFault extends Fault {
  readonly at: number;
}

export interface PluginBoardParts {
  readonly router: Router;
  readonly metrics: Metrics;
  readonly rates: Rates;
  readonly hub: EventHub;
  /** The version before the present one. */
  readonly previous: (plugin: string) => Kept | undefined;
  /** Name of the file that carries a plugin now. */
  readonly fileOf: (plugin: string) => string | undefined;
  readonly signatureOf: (offer: Offer) => SignatureView;
}

/** What is known of every plugin and of every file that cannot be one; tells the hub of what changes. */
export class PluginBoard {
  readonly #parts: PluginBoardParts;
  /** By plugin: why its newest file does not run. */
  readonly #refused = new Map<string, Refusal>();
  /** By file: why it is no plugin. */
  readonly #files = new Map<string, Refusal>();
  readonly #last = new Map<string, LastFault>();
  /** By plugin and code: faults that a reset has set aside. */
  readonly #before = new Map<string, number>();
  readonly #told = new Map<string, number>();

  constructor(parts: PluginBoardParts) {
    this.#parts = parts;
  }

  offered({ name: plugin, file, manifest: { version } }: Offer): void {
    this.#files.delete(file);
    this.#refused.delete(plugin);
    this.#parts.hub.emit({ type: 'plugin.offered', plugin, version, file });
  }

  /** A file cannot be used. */
  unusable(file: string, error: SluiceError): void {
    const fault = error.toFault();
    this.#files.set(file, { fault, file });
    const { code, message } = fault;
    this.#parts.hub.emit({ type: 'plugin.refused', file, code, message });
  }

  gone(file: string): void {
    this.#files.delete(file);
  }

  /** What was said of a plugin that is not there any more. */
  forget(plugin: string): void {
    for (const map of [this.#refused, this.#last]) map.delete(plugin);
  }

  /** The plugin was taken away. */
  removed(plugin: string): void {
    this.forget(plugin);
    this.#parts.hub.emit({ type: 'plugin.removed', plugin });
  }

  /** What ran has to run no more. */
  stopped({ name, file, manifest }: Offer, error: SluiceError): void {
    const fault = error.toFault();
    const { code, message } = fault;
    this.#refused.set(name, { fault, file, version: manifest.version });
    this.#parts.hub.emit({ type: 'plugin.refused', plugin: name, file, code, message });
  }

  swapped({ offer, route, generation, fault }: SwapOutcome): void {
    const { name: plugin, file, manifest } = offer;
    const { version } = manifest;
    if (fault === undefined) {
      // The same once more, under a policy that allows it now.
      if (this.#refused.get(plugin)?.version === version) this.#refused.delete(plugin);
      this.#parts.hub.emit({ type: 'plugin.serving', plugin, version, route, generation });
      return;
    }
    this.#refused.set(plugin, { fault, file, version });
    const { code, message } = fault;
    this.#parts.hub.emit({ type: 'plugin.refused', plugin, file, route, code, message });
  }

  /** Every fault that the gateway reports; in the way of frames that fail, so it is quick. */
  fault(fault: Fault, where: Readonly<Record<string, string>>): void {
    const { plugin, code, message } = fault;
    if (plugin === undefined || isRefusal(code) || !/_(GUEST|KERNEL)_/.test(code)) return;
    // Of what was refused before it served, the outcome of the swap tells.
    if (where.version !== undefined) return;
    const at = Date.now();
    this.#last.set(plugin, { ...fault, at });
    if (!this.#mayTell(`${plugin}\n${code}`)) return;
    const route = where.route === undefined ? {} : { route: where.route };
    this.#parts.hub.emit({ type: 'plugin.faulted', plugin, code, message, ...route });
  }

  /** A frame that this plugin failed on is in quarantine. */
  isolated({ plugin, route, frame: { source }, fault: { code, message } }: Poison, id: number): void {
    if (!this.#mayTell(`${plugin}\nquarantine`)) return;
    this.#parts.hub.emit({ type: 'frame.quarantined', id, plugin, source, route, code, message });
  }

  #mayTell(id: string): boolean {
    const at = Date.now();
    if (at - (this.#told.get(id) ?? 0) < FAULT_EVERY_MS) return false;
    this.#told.set(id, at);
    return true;
  }

  /** Counts faults of this plugin from nothing again. */
  async reset(plugin: string): Promise<void> {
    this.#last.delete(plugin);
    for (const [code, count] of await this.#counted(plugin)) this.#before.set(`${plugin}\n${code}`, count);
  }

  /** Every plugin by name, then files that are none. */
  async list(details = false): Promise<PluginView[]> {
    const { router } = this.#parts;
    const names = new Set([...router.offers.keys(), ...this.#refused.keys()]);
    const views = await Promise.all([...names].sort().map(name => this.#view(name, details)));
    // The file of a plugin that is shown is shown there.
    const shown = new Set(views.map(({ file }) => file));
    const others = [...this.#files.values()].filter(({ file }) => !shown.has(file));
    return [...views, ...others.map(each => unusableView(each, details))];
  }

  async get(name: string): Promise<PluginView | undefined> {
    return (await this.list(true)).find(view => view.name === name);
  }

  /** Why the newest file of this plugin does not run. */
  refusalOf(plugin: string): Fault | undefined {
    return this.#refused.get(plugin)?.fault;
  }

  /** Why a file of the folder is no plugin. */
  refusalOfFile(file: string): Fault | undefined {
    return this.#files.get(file)?.fault;
  }

  async #view(name: string, details: boolean): Promise<PluginView> {
    const { router, rates, previous, signatureOf } = this.#parts;
    const offer = router.offers.get(name);
    const inUse = router.offers.get(name)?.file;
    const refused = this.#refused.get(name) ?? (inUse === undefined ? undefined : this.#files.get(inUse));
    const routes = router.status().filter(({ config }) => config.through.some(step => step.plugin === name));
    const serving = routes.map(route => route.serving.get(name)).find(found => found !== undefined);
    const shown = serving ?? offer;
    const last = this.#last.get(name);
    const before = previous(name);
    const granted = router.grantedTo(name);
    return {
      name,
      file: shown?.file ?? refused?.file ?? '',
      fileState: this.#fileState(name, shown, refused),
      state: router.isDisabled(name) ? 'disabled' : stateOf(routes, serving, refused),
      routes: routes.map(({ config }) => config.name),
      generation: Math.max(0, ...routes.map(({ route }) => route.slot.generation)),
      framesPerSecond: rates.of(`plugin ${name}`),
      faults: await this.#faults(name),
      breaker: worstBreaker(
        routes.map(({ route }) => route),
        name,
      ),
      ...(shown === undefined
        ? {}
        : {
            version: shown.manifest.version,
            sha256: shown.manifest.sha256,
            signature: signatureOf(shown),
          }),
      ...(last === undefined ? {} : { lastFault: { code: last.code, message: last.message, at: last.at } }),
      ...(granted === undefined ? {} : { grants: grantsView(granted) }),
      ...(refused === undefined ? {} : { refused: refusedView(refused, details) }),
      ...(before === undefined ? {} : { previous: { version: before.version, sha256: before.sha256 } }),
    };
  }

  #fileState(name: string, shown: Offer | undefined, refused: Refusal | undefined): PluginView['fileState'] {
    if (refused !== undefined || shown?.origin === 'kept') return 'refused';
    return this.#parts.fileOf(name) === undefined ? 'gone' : 'present';
  }

  async #faults(plugin: string): Promise<Record<string, number>> {
    const faults: Record<string, number> = {};
    for (const [code, count] of await this.#counted(plugin)) {
      const rest = count - (this.#before.get(`${plugin}\n${code}`) ?? 0);
      if (rest > 0) faults[code] = rest;
    }
    return faults;
  }

  /** By code, over all versions. */
  async #counted(plugin: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { labels, value } of await this.#parts.metrics.values('sluice_plugin_faults_total')) {
      const { code = '' } = labels;
      if (labels.plugin === plugin) counts.set(code, (counts.get(code) ?? 0) + value);
    }
    return counts;
  }
}

function stateOf(
  routes: readonly RouteStatus[],
  serving: Offer | undefined,
  refused: Refusal | undefined,
): PluginView['state'] {
  if (serving !== undefined) return 'serving';
  if (refused !== undefined) return 'refused';
  if (routes.length === 0) return 'unused';
  return routes.some(({ state }) => state === 'starting') ? 'starting' : 'waiting';
}

function grantsView({
  memory,
  deadline,
  simd,
  features,
  imports,
  denied,
}: Granted): NonNullable<PluginView['grants']> {
  return {
    memory,
    deadline,
    simd: typeof simd === 'string' ? simd : [...simd],
    features: [...features],
    imports: [...imports],
    denied: [...denied],
  };
}

function refusedView({ fault, version }: Refusal, details: boolean): NonNullable<PluginView['refused']> {
  const { code, message, findings } = fault;
  return {
    code,
    message,
    ...(version === undefined ? {} : { version }),
    ...(details && findings !== undefined ? { findings: [...findings] } : {}),
  };
}

/** A file that is no plugin goes by its own name. */
function unusableView(refusal: Refusal, details: boolean): PluginView {
  return {
    name: refusal.file.replace(/\.wasm$/, ''),
    file: refusal.file,
    fileState: 'refused',
    state: 'refused',
    routes: [],
    generation: 0,
    framesPerSecond: 0,
    breaker: { state: 'closed', openings: 0 },
    faults: {},
    refused: refusedView(refusal, details),
  };
}
