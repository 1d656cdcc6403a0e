import type { ErrorCode } from '../../../runtime/index.js';
import { openReason } from '../report/breaker-text.js';
import type { RouteStatus } from './route-status.js';

/** A route that has been full for this long delivers nothing: the gateway is not ready. */
const STUCK_MS = 5000;

/** What of a route is not as configured. */
export interface RouteTrouble {
  readonly code: ErrorCode;
  /** Which route, what is wrong, and what becomes of its frames meanwhile. */
  readonly message: string;
  /** Its frames can be neither delivered nor put on the disk. */
  readonly stops: boolean;
}

type What = Pick<RouteTrouble, 'code' | 'message'>;

/** Undefined: all is as configured. */
export function troubleOf(status: RouteStatus): RouteTrouble | undefined {
  const { route } = status;
  const { name } = route;
  const unserved = unservedOf(status);
  const frames = framesOf(status);
  if (unserved !== undefined) {
    const { code, message } = unserved;
    return { code, message: `route ${name}${message}; ${frames.text}`, stops: frames.stops };
  }
  const code = route.parked?.fault?.code ?? (withoutPlace(status) === '' ? undefined : 'SLUICE_SPOOL_QUEUES');
  if (code !== undefined && route.hasParked) {
    const message = `route ${name}: frames wait for those on the disk before them; ${frames.text}`;
    return { code, message, stops: true };
  }
  if (route.entrance.fullForMs > STUCK_MS) {
    const seconds = Math.round(route.entrance.fullForMs / 1000);
    const message = `route ${name} is full and has given nothing back for ${seconds} s: its plugin hangs, or its sink is away`;
    return { code: 'SLUICE_ROUTE_FULL', message, stops: true };
  }
  const served = servedOf(status);
  return served && { ...served, message: `route ${name}: ${served.message}`, stops: false };
}

/** Why no plugin takes its frames. */
function unservedOf({ route, state, missing, disabled }: RouteStatus): What | undefined {
  const { slot } = route;
  const breaker = slot.current?.breaker?.state;
  switch (state) {
    case 'waiting':
      return { code: 'SLUICE_PLUGIN_UNKNOWN', message: ` waits for the plugin ${missing.join(', ')}` };
    case 'disabled':
      return { code: 'SLUICE_ROUTE_UNSERVED', message: `: the plugin ${disabled.join(', ')} is disabled` };
    case 'refused':
      return { code: 'SLUICE_ROUTE_UNSERVED', message: ': its plugins are refused' };
    case 'starting':
      return { code: 'SLUICE_ROUTE_UNSERVED', message: ': its plugins are starting' };
    case 'failed':
      return {
        code: 'SLUICE_SANDBOX_START',
        message: ': its plugins could not be started, and are tried again',
      };
    case 'open':
      if (breaker === undefined || breaker.kind === 'closed')
        return { code: 'SLUICE_ROUTE_UNSERVED', message: ': nobody serves it' };
      return { code: 'SLUICE_BREAKER_OPEN', message: `: ${openReason(breaker)}` };
    // Between the two a fresh instance is on its way, and frames are kept meanwhile.
    case 'serving':
    case 'recovering':
      return undefined;
    default:
      return state satisfies never;
  }
}

/** What is wrong though its frames are delivered. */
function servedOf({ route }: RouteStatus): What | undefined {
  const { slot, parked } = route;
  const breaker = slot.current?.breaker?.state;
  if (breaker !== undefined && breaker.kind !== 'closed') {
    const who = slot.generation === slot.current?.number ? '' : '; the version before serves its frames';
    return { code: 'SLUICE_BREAKER_OPEN', message: `${openReason(breaker)}${who}` };
  }
  const fault = parked?.fault;
  return (
    fault && { code: fault.code, message: `the disk takes no frames if they have to wait: ${fault.message}` }
  );
}

/** What becomes of frames that no plugin takes. */
function framesOf(status: RouteStatus): { readonly text: string; readonly stops: boolean } {
  const { config, route, state } = status;
  const { parked } = route;
  // What is fresh may not pass what is there, so it goes there too.
  const isBehind = config.whenOpen === 'refuse' && route.hasParked;
  if (config.whenOpen === 'refuse' && !isBehind)
    return { text: 'its frames are refused (`whenOpen: refuse`)', stops: true };
  if (parked === undefined) return { text: 'its frames cannot wait on the disk: there is none', stops: true };
  const { fault } = parked;
  if (fault !== undefined) {
    const text = `its frames cannot be put on the disk: ${fault.message} (${fault.code})`;
    return { text, stops: true };
  }
  // Without a thread they wait in memory.
  if (state === 'failed')
    return { text: 'its frames wait in memory, and their sources with them', stops: true };
  const without = withoutPlace(status);
  if (without !== '') {
    const text = `its frames wait on the disk, but those of ${without} are refused: there is no place for them (SLUICE_SPOOL_QUEUES)`;
    return { text, stops: true };
  }
  const behind = isBehind
    ? ', behind those that are there from before: `whenOpen: refuse` holds again when they have gone through'
    : '';
  return { text: `its frames wait on the disk${behind}`, stops: false };
}

/** Sources whose frames cannot wait on the disk, though those of others can; empty: none. */
function withoutPlace({ route }: RouteStatus): string {
  return route.parked?.withoutPlace?.join(', ') ?? '';
}
