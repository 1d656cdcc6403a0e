import type { SlotState } from '../../../sandbox/index.js';
import type { RouteConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import type { Route } from '../route.js';

/** A route for status pages. */
export interface RouteStatus {
  readonly config: RouteConfig;
  readonly route: Route;
  /** `waiting`: for a plugin that no file carries. */
  readonly state: Exclude<SlotState, 'stopped'> | 'waiting' | 'disabled' | 'refused';
  /** Plugins of the route that no file carries. */
  readonly missing: readonly string[];
  /** Plugins of the route that are not to run. */
  readonly disabled: readonly string[];
  /** What its chain runs now, by plugin. */
  readonly serving: ReadonlyMap<string, Offer>;
}

export function statusOf(
  parts: Pick<RouteStatus, 'config' | 'route' | 'serving'>,
  offers: ReadonlyMap<string, Offer>,
  disabledPlugins: ReadonlySet<string>,
): RouteStatus {
  const { config, route, serving } = parts;
  const plugins = config.through.map(({ plugin }) => plugin);
  const missing = plugins.filter(plugin => !offers.has(plugin));
  const disabled = plugins.filter(plugin => disabledPlugins.has(plugin));
  const { state: slot } = route.slot;
  const state =
    missing.length > 0 ? 'waiting' : disabled.length > 0 ? 'disabled' : slot === 'stopped' ? 'refused' : slot;
  return { config, route, serving, state, missing, disabled };
}
