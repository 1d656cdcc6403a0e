import { ERRORS, type ErrorCode } from '../../../runtime/index.js';
import type { RouteSink } from '../../route/route-parts.js';
import type { Router } from '../../route/router/router.js';

/** Something that is not as configured. */
interface Trouble {
  readonly route?: string;
  readonly sink?: string;
  readonly code: ErrorCode;
  /** What is wrong, and what becomes of frames and messages meanwhile. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** What /readyz answers. */
export interface Readiness {
  /** Frames of every route can be delivered, or are safe on the disk until they can. */
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
  /** All that is not as configured, also where no frame is in danger: a plugin that is missing, a breaker that is open, a sink that is away. */
  readonly degraded: readonly Trouble[];
}

/** Nothing is looked at: the gateway is about to be, or was. */
export function notReady(reason: string): Readiness {
  return { ready: false, reasons: [reason], degraded: [] };
}

/** @param waiting frames of a route that find room neither on the disk nor in quarantine */
export function readinessOf(
  router: Router,
  sinks: ReadonlyMap<string, RouteSink>,
  waiting: (route: string) => number,
): Readiness {
  const troubles = [
    ...routeTroubles(router),
    ...held(router, waiting),
    ...[...sinks.values()].flatMap(sinkTrouble),
  ];
  const reasons = [
    ...(router.routes.length === 0 ? [router.noRoute] : []),
    ...troubles.filter(({ stops }) => stops).map(({ message }) => message),
  ];
  const degraded = troubles.map(({ stops: _, ...trouble }) => ({
    ...trouble,
    remedy: ERRORS[trouble.code].remedy,
  }));
  return { ready: reasons.length === 0, reasons, degraded };
}

type Found = Omit<Trouble, 'remedy'> & { readonly stops: boolean };

function routeTroubles(router: Router): Found[] {
  return router.troubles().map(([route, trouble]) => ({ route, ...trouble }));
}

/** Frames that found no room are safe nowhere, also when there is room for those that come now. */
function held(router: Router, waiting: (route: string) => number): Found[] {
  return router.status().flatMap(({ config: { name: route, through } }) => {
    const count = waiting(route);
    if (count === 0) return [];
    const plugins = through.map(({ plugin }) => plugin);
    const resets = plugins.map(plugin => `POST /v1/plugins/${plugin}/reset`).join(', ');
    const message = `route ${route}: ${count} frames that no plugin has run wait in memory, and their sources with them: they found no room on the disk, and find none in quarantine. They go through when ${plugins.join(' and ')} can be called again (a corrected file, or ${resets}), or into quarantine when there is room (replay what is in it, or DELETE /v1/quarantine?route=${route} throws it away)`;
    return [{ route, code: 'SLUICE_STORE_FULL' as const, message, stops: true }];
  });
}

/** A sink that is away keeps nobody from being ready, as long as there is a place for its messages. */
function sinkTrouble({ name: sink, sink: itself }: RouteSink): Found[] {
  const { state, fault, spool } = itself.state();
  const away = state !== 'connected';
  const disk = spool?.fault;
  if (disk !== undefined) {
    const what = away
      ? `is away, and its messages cannot be put on the disk: ${disk.message}`
      : `is there, but its messages could not be put on the disk: ${disk.message}`;
    return [{ sink, code: disk.code, message: `sink ${sink} ${what}`, stops: away }];
  }
  if (!away || fault === undefined) return [];
  const memory = 'wait in memory as far as they fit';
  const without = spool?.withoutPlace?.join(', ');
  const where =
    spool === undefined
      ? memory
      : without === undefined
        ? 'wait on the disk'
        : `wait on the disk, but those of ${without} ${memory}: there is no place for them (SLUICE_SPOOL_QUEUES)`;
  const message = `sink ${sink} is away: ${fault.message}; its messages ${where}`;
  return [{ sink, code: fault.code, message, stops: false }];
}
