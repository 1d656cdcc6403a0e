import type { Fault } from '../../../runtime/index.js';
import type { ChainSpec } from '../../../sandbox/index.js';
import type { RouteConfig, StepConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import type { TopicFilter } from '../../protocols/mqtt-wire/topic-filter.js';
import type { Feed } from '../feed.js';
import type { Replay } from '../replay.js';
import type { Route } from '../route.js';

/** A route of the router, and what becomes of it. */
export interface RunningRoute {
  readonly config: RouteConfig;
  readonly route: Route;
  readonly filters: readonly TopicFilter[];
  readonly replay: Replay;
  readonly steps: readonly StepConfig[];
  /** What its chain runs now, by plugin. */
  serving: ReadonlyMap<string, Offer>;
  /** Versions that this route could not start, and why. */
  readonly refused: Map<Offer, Fault>;
  /** What runs under each generation that may still serve. */
  readonly offersOf: WeakMap<ChainSpec, ReadonlyMap<string, Offer>>;
  /** Feeds to connect once it serves; empty when that is done. */
  waiting: readonly Feed[];
}

export function names(steps: readonly StepConfig[], plugin: string): boolean {
  return steps.some(step => step.plugin === plugin);
}

export function serves({ route, serving }: RunningRoute, { name, manifest }: Offer): boolean {
  return route.slot.state === 'serving' && serving.get(name)?.manifest.sha256 === manifest.sha256;
}

/** Versions that were refused here for what the policy gives: when that changes they get another chance, and are forgotten. */
export function takeRefused({ refused }: RunningRoute): Offer[] {
  const offers = [...refused]
    .filter(([, { step, code }]) => step === 'admit' || code === 'SLUICE_GUEST_MEMORY')
    .map(([offer]) => offer);
  for (const offer of offers) refused.delete(offer);
  return offers;
}
