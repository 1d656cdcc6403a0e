import type { Freshness } from '../../route/age/freshness.js';
import type { RouteSink } from '../../route/route-parts.js';
import { troubleOf } from '../../route/router/route-trouble.js';
import type { Router } from '../../route/router/router.js';
import type { SpoolSums } from '../../sinks/sink.js';
import type { Source } from '../../sources/source.js';
import type { Rates } from '../events/rates.js';
import { breakerView } from '../plugins/breaker-view.js';
import type { RouteView, SinkView, SourceView } from '../schemas/schemas.js';

export interface SourceParts {
  readonly freshness: Freshness;
  readonly source: Source;
  readonly kind: string;
  readonly started: boolean;
}

export function routeViews(router: Router, sinks: ReadonlyMap<string, unknown>): RouteView[] {
  return router.status().map(status => {
    const { config, route, state, serving } = status;
    const trouble = troubleOf(status);
    const { parked } = route;
    const waits =
      parked !== undefined && (parked.records > 0 || (parked.fault ?? parked.withoutPlace) !== undefined);
    return {
      name: config.name,
      from: [...config.from],
      ...(config.filter === undefined ? {} : { filter: [...config.filter] }),
      through: config.through.map(({ plugin }) => {
        const version = serving.get(plugin)?.manifest.version;
        return version === undefined ? { plugin } : { plugin, version };
      }),
      to: config.to.length === 0 ? [...sinks.keys()] : [...config.to],
      state,
      generation: route.slot.generation,
      breaker: breakerView(route),
      slabsInUse: route.slot.ring.inUse,
      unconfirmed: route.unconfirmed,
      fullForMs: Math.round(route.entrance.fullForMs),
      ...(waits ? { parked: spoolView(parked) } : {}),
      ...(trouble === undefined ? {} : { reason: trouble.message, code: trouble.code }),
    };
  });
}

export function sourceViews(sources: ReadonlyMap<string, SourceParts>, rates: Rates): SourceView[] {
  const now = Date.now();
  return [...sources].map(([name, { source, kind, started, freshness }]) => ({
    name,
    kind,
    started,
    state: freshness.state,
    ...(Number.isFinite(freshness.staleAfterMs) ? { staleAfterMs: freshness.staleAfterMs } : {}),
    frames: rates.total(`source ${name}`),
    delivered: rates.total(`delivered ${name}`),
    framesPerSecond: rates.of(`source ${name}`),
    peers: source.state().map(({ name: peer, state, lastFrame, fault }) => ({
      name: peer,
      state,
      lastFrame: Math.round(lastFrame),
      ...ageOf(lastFrame, now),
      ...(freshness.isStale(peer) ? { stale: true } : {}),
      ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
    })),
  }));
}

export function sinkViews(sinks: ReadonlyMap<string, RouteSink>, rates: Rates): SinkView[] {
  const now = Date.now();
  return [...sinks].map(([name, { sink }]) => {
    const { state, fault, inFlight, spool } = sink.state();
    const lastMessage = rates.grewAt(`sink ${name}`);
    return {
      name,
      state,
      inFlight,
      ...(spool === undefined ? {} : { spool: spoolView(spool) }),
      messages: rates.total(`sink ${name}`),
      messagesPerSecond: rates.of(`sink ${name}`),
      lastMessage,
      ...ageOf(lastMessage, now),
      ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
    };
  });
}

function spoolView({ fault, withoutPlace, ...sums }: SpoolSums): NonNullable<SinkView['spool']> {
  return {
    ...sums,
    ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
    ...(withoutPlace === undefined ? {} : { withoutPlace: [...withoutPlace] }),
  };
}

/** Milliseconds since then; nothing if it never was. */
function ageOf(at: number, now: number): { ageMs?: number } {
  return at === 0 ? {} : { ageMs: Math.max(0, Math.round(now - at)) };
}
