import type { WhenFull } from '../store/messages.js';

/** What a route wants of the spool. */
export interface RouteSpool {
  readonly catchUp: 'ordered' | 'fresh-first';
  readonly whenFull: WhenFull;
}

/** Of a route that the configuration does not name. */
export const DEFAULT_ROUTE_SPOOL: RouteSpool = { catchUp: 'ordered', whenFull: 'keep-all' };
