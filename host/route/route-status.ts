import type { SlotState } from '../../sandbox/index.js';
import type { RouteConfig } from '../config/config.js';
import type { Offer } from '../plugins/offer.js';
import { openReason } from './breaker-text.js';
import type { Route } from './route.js';

/** A route that has been full for this long delivers nothing: the gateway is not ready. */
const STUCK_MS = 5000;

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

/** Why frames of a route cannot be delivered now; undefined: they can. */
export function reasonOf({ route, state, missing, disabled }: RouteStatus): string | undefined {
  const { name } = route;
  const fault = route.parked?.fault;
  const disk =
    fault === undefined ? '' : `; its frames cannot be put on the disk: ${fault.message} (${fault.code})`;
  if (state === 'waiting') return `route ${name} waits for the plugin ${missing.join(', ')}${disk}`;
  if (state === 'disabled') return `route ${name}: the plugin ${disabled.join(', ')} is disabled${disk}`;
  const open = brokenOff(route);
  if (open !== undefined) return `route ${name}: ${open}${disk}`;
  if (fault !== undefined && route.hasParked)
    return `route ${name}: frames wait for those on the disk before them${disk}`;
  if (route.entrance.fullForMs > STUCK_MS) {
    const seconds = Math.round(route.entrance.fullForMs / 1000);
    return `route ${name} is full and has given nothing back for ${seconds} s: its plugin hangs, or its sink is away`;
  }
  // A fresh instance is on its way, and frames are kept meanwhile.
  if (state === 'serving' || state === 'recovering') return undefined;
  return `route ${name}: its plugins are ${state === 'starting' ? 'starting' : 'refused'}`;
}

/** Why the breaker keeps frames from being delivered; undefined: it does not, or another generation serves them. */
function brokenOff({ slot }: Route): string | undefined {
  const state = slot.current?.breaker?.state;
  if (state === undefined || state.kind === 'closed') return undefined;
  // Also while it is on trial: until it has stood that, nothing is sure.
  return slot.state === 'open' || slot.generation === slot.current?.number ? openReason(state) : undefined;
}
