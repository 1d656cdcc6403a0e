import { Interned } from '../../runtime/index.js';
import type { TopicFilter } from '../protocols/mqtt-wire/topic-filter.js';
import type { Entrance } from './entrance.js';
import type { Route } from './route.js';

/** One route that a source feeds, with the strings as that route's slabs know them. */
export interface Outlet {
  readonly route: Route;
  /** Of the route. */
  readonly entrance: Entrance;
  readonly origin: number;
  readonly source: Interned;
  readonly topics: Interned[];
  readonly properties: Interned[];
  /** It takes topics of these filters; none: all. */
  readonly filters: readonly TopicFilter[];
  /** Whether it takes the topic of this number; worked out when the topic is registered. */
  readonly passes: boolean[];
  /** Last frame that this route took, and last that it has delivered. */
  taken: number;
  delivered: number;
}

/** A route with these filters takes this topic; without one it takes all. */
export function isFor(
  filters: readonly TopicFilter[],
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (filters.length === 0) return true;
  for (const filter of filters) if (filter.matches(bytes, start, end)) return true;
  return false;
}

/** The same string or list for another route's slabs. */
export function copyOf({ bytes, length, tuples }: Interned): Interned {
  return Interned.copy(bytes, 0, length, tuples);
}

/** Gives `list[number]` this content; `number` is at most the next one. */
export function put(
  list: Interned[],
  number: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  tuples: number,
): void {
  const known = list[number];
  if (known === undefined) list.push(Interned.copy(bytes, start, end, tuples));
  else known.assign(bytes, start, end, tuples);
}
