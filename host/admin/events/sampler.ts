import type { RouteSink } from '../../route/route-parts.js';
import type { Router } from '../../route/router/router.js';
import type { Source, SourcePeer } from '../../sources/source.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { EventHub } from './events.js';
import type { Rates } from './rates.js';

const EVERY_MS = 1000;
/** A route is called full when it has given nothing back for this long. */
const FULL_MS = 1000;

export interface SamplerParts {
  readonly metrics: Metrics;
  readonly rates: Rates;
  readonly hub: EventHub;
  readonly router: Router;
  readonly sources: ReadonlyMap<string, { readonly source: Source }>;
  readonly sinks: ReadonlyMap<string, RouteSink>;
}

/** Looks once a second at what no event tells of: counters, connections that stand, routes that are full. */
export class Sampler {
  readonly #parts: SamplerParts;
  readonly #full = new Set<string>();
  readonly #connected = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    this.#lookAtRoutes();
    this.#lookAtPeers();
    const { metrics, rates } = this.#parts;
    const now = Date.now();
    for (const { labels, value, metricName } of await metrics.values('sluice_batch_frames')) {
      if (metricName?.endsWith('_sum') === true) rates.sample(`plugin ${labels.plugin}`, value, now);
    }
    for (const [metric, label, what] of COUNTERS) {
      for (const { labels, value } of await metrics.values(metric))
        rates.sample(`${what} ${labels[label]}`, value, now);
    }
  }

  #lookAtRoutes(): void {
    for (const { route } of this.#parts.router.status()) {
      const full = route.entrance.fullForMs > FULL_MS;
      if (full === this.#full.has(route.name)) continue;
      if (full) this.#full.add(route.name);
      else this.#full.delete(route.name);
      this.#parts.hub.emit({ type: full ? 'route.full' : 'route.flowing', route: route.name });
    }
  }

  #lookAtPeers(): void {
    const { sources, sinks, hub } = this.#parts;
    for (const [name, { source }] of sources) {
      for (const peer of source.state()) {
        if (this.#isNew(`source ${name} ${peer.name}`, peer.state))
          hub.emit({ type: 'source.connected', source: name, peer: peer.name });
      }
    }
    for (const [name, { sink }] of sinks) {
      if (this.#isNew(`sink ${name}`, sink.state().state)) hub.emit({ type: 'sink.connected', sink: name });
    }
  }

  #isNew(id: string, state: SourcePeer['state']): boolean {
    if (state !== 'connected') this.#connected.delete(id);
    else if (!this.#connected.has(id)) return this.#connected.add(id).has(id);
    return false;
  }
}

/** Metric, its label, and what it is sampled as. */
const COUNTERS = [
  ['sluice_frames_total', 'source', 'source'],
  ['sluice_delivered_total', 'source', 'delivered'],
  ['sluice_messages_total', 'sink', 'sink'],
] as const;
