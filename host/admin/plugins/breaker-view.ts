import { ruleOf } from '../../route/report/breaker-text.js';
import type { Route } from '../../route/route.js';
import type { BreakerView } from '../schemas/schemas.js';

/** The worst comes last. */
const ORDER = ['closed', 'half-open', 'open'] as const;

/** The breaker of a route. @param plugin only what this one is to blame for */
export function breakerView({ name, slot }: Route, plugin?: string): BreakerView {
  const breaker = slot.current?.breaker;
  const now = performance.now();
  const openings = breaker?.openings(now) ?? 0;
  const state = breaker?.state;
  if (state === undefined || state.kind === 'closed') return { state: 'closed', openings };
  const { cause, kind } = state;
  if (plugin !== undefined && cause.plugin !== plugin) return { state: 'closed', openings: 0 };
  const { code, message } = cause.fault;
  const retryAt = kind === 'open' ? state.retryAt : undefined;
  return {
    state: kind,
    openings,
    route: name,
    reason: ruleOf(cause),
    fault: { code, message },
    ...(retryAt === undefined ? {} : { retryInMs: Math.max(0, Math.round(retryAt - now)) }),
  };
}

/** That of a plugin: of the route where it is worst. */
export function worstBreaker(routes: readonly Route[], plugin: string): BreakerView {
  const views = routes.map(route => breakerView(route, plugin));
  const worst = views.toSorted((a, b) => ORDER.indexOf(b.state) - ORDER.indexOf(a.state))[0];
  return worst ?? { state: 'closed', openings: 0 };
}
