import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, faultOf, isFault, SluiceError } from '../../runtime/index.js';
import type { Replayed } from '../route/replay.js';
import type { Router } from '../route/router/router.js';
import type { QuarantineMetrics } from '../telemetry/quarantine-metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import type { Choice, Poison, Quarantine, Quarantined } from './quarantine.js';

/** A replay is waited for this long: its route may have no plugin, or a sink that is away. */
const PATIENCE_MS = 10_000;

const AGAIN_MS = 1000;

/** No plugin has seen the frame. */
const NOT_RUN: ReadonlySet<Fault['code']> = new Set(['SLUICE_BREAKER_OPEN', 'SLUICE_ROUTE_UNSERVED']);

/** What became of one frame that was replayed. */
export type ReplayOutcome = Replayed | { readonly outcome: 'pending' };

/** How many frames of a choice went which way. `pending`: the route did not answer in time, the rest was left. */
export interface ReplayTally {
  delivered: number;
  refused: number;
  pending: number;
}

export interface WardParts {
  /** Undefined: there is no place for it. */
  readonly quarantine: Quarantine | undefined;
  readonly router: Pick<Router, 'replayOf'>;
  readonly metrics: QuarantineMetrics;
  readonly report: Reporter;
  /** A frame went in. */
  readonly isolated: (poison: Poison, id: number) => void;
  /** Before what has found the disk full is tried again, all of it together. 1000. */
  readonly againMs?: number;
}

/** The quarantine at work: takes what the routes isolate, and sends it through them again. */
export class Ward {
  readonly #parts: WardParts;
  /** Frames on their way through their route. */
  readonly #underWay = new Map<number, Promise<ReplayOutcome>>();
  /** Frames that wait in memory for room, by route. */
  readonly #waiting = new Map<string, number>();
  #again: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: WardParts) {
    this.#parts = parts;
  }

  /** The gateway ends: what is not kept by now stays unconfirmed, which is told of with all else that its source has not confirmed. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Where the disk is full, a frame that no plugin has seen waits for room, and its source with it, or until plugins serve
   * its route again: it was taken, and nothing is wrong with it. One that a plugin fails on holds nobody up: the oldest make room for it.
   */
  readonly isolate = async (first: Poison): Promise<void> => {
    if (await this.#isIsolated(first)) return;
    this.#waits(first, 1);
    await this.#room(first);
    this.#waits(first, -1);
  };

  /** Frames of a route that wait in memory, and their sources with them, as neither disk nor quarantine has room for them. */
  waiting(route: string): number {
    return this.#waiting.get(route) ?? 0;
  }

  #waits({ route }: Poison, more: number): void {
    this.#waiting.set(route, this.waiting(route) + more);
  }

  async #room(first: Poison): Promise<void> {
    for (let poison: Poison | undefined = first; poison !== undefined; ) {
      // Nobody may be told that it is safe: who waits for that sends it again.
      if (this.#isStopped) await new Promise<never>(() => {});
      this.#again ??= sleep(this.#parts.againMs ?? AGAIN_MS, undefined, { ref: false }).finally(() => {
        this.#again = undefined;
      });
      await this.#again;
      poison = await this.#runInstead(poison);
      if (poison !== undefined && (await this.#isIsolated(poison))) return;
    }
  }

  /** A frame that waits for room is run where plugins serve again: undefined: they have; else what is to be kept. */
  async #runInstead(poison: Poison): Promise<Poison | undefined> {
    const { frame, route, id } = poison;
    const replay = this.#parts.router.replayOf(route);
    if (id === undefined || replay?.isServed !== true) return poison;
    const replayed = await replay.run(frame, id);
    if (replayed.outcome === 'delivered') return undefined;
    const { plugin, fault, culprit } = replayed;
    if (NOT_RUN.has(fault.code)) return poison;
    // What a plugin refuses is told of; what it fails on is kept.
    return isFault(fault.code) ? { ...poison, plugin, fault, ...culprit } : undefined;
  }

  /** False: it is not kept yet. */
  async #isIsolated(poison: Poison): Promise<boolean> {
    const { metrics, report, isolated } = this.#parts;
    const { frame, plugin, fault } = poison;
    const waits = NOT_RUN.has(fault.code);
    try {
      const id = await this.#quarantine.put(poison, !waits);
      metrics.put(frame.source, plugin, fault.code);
      isolated(poison, id);
      return true;
    } catch (thrown) {
      const { code, message: why } = faultOf(thrown);
      if (this.#isStopped) return false;
      const which = `a frame of ${frame.source} (${frame.topic})`;
      if (code === 'SLUICE_STORE_FULL' && waits) {
        const message = `${which} can be neither run (${fault.message}) nor kept in quarantine; it waits for room there, and its source with it: ${why}`;
        report.fault({ ...faultOf(thrown), message, plugin }, { source: frame.source }, 'error');
        return false;
      }
      metrics.dropped(1, code);
      const bytes = Buffer.from(frame.payload).toString('hex');
      const message = `${which} could not be kept in quarantine and is gone: ${why}`;
      report.fault({ ...faultOf(thrown), message, plugin }, { source: frame.source }, 'error', { bytes });
      return true;
    }
  }

  /** @throws SluiceError SLUICE_QUARANTINE_ID: there is none; SLUICE_QUARANTINE_ROUTE: its route is gone */
  async replay(id: number): Promise<ReplayOutcome> {
    return this.#within(await this.get(id));
  }

  /** Oldest first, until one does not come back in time. @throws SluiceError SLUICE_STORE_FAILED */
  async replayAll(choice: Choice, limit: number): Promise<ReplayTally> {
    const tally: ReplayTally = { delivered: 0, refused: 0, pending: 0 };
    for (const quarantined of await this.#quarantine.list(choice, limit)) {
      const { outcome } = await this.#within(quarantined);
      tally[outcome]++;
      if (outcome === 'pending') break;
    }
    return tally;
  }

  /** @throws SluiceError SLUICE_QUARANTINE_ID */
  async get(id: number): Promise<Quarantined> {
    const [quarantined] = await this.#quarantine.list({ id }, 1);
    if (quarantined !== undefined) return quarantined;
    throw new SluiceError('SLUICE_QUARANTINE_ID', `there is no frame ${id} in quarantine`);
  }

  async list(choice: Choice, limit: number): Promise<Quarantined[]> {
    return this.#quarantine.list(choice, limit);
  }

  get count(): number {
    return this.#parts.quarantine?.count ?? 0;
  }

  /** Frames that nobody wants back. Gives how many there were. */
  async remove(choice: Choice): Promise<number> {
    return this.#quarantine.remove(choice);
  }

  /** @throws SluiceError SLUICE_STORE_FAILED */
  get #quarantine(): Quarantine {
    const { quarantine } = this.#parts;
    if (quarantine !== undefined) return quarantine;
    throw new SluiceError(
      'SLUICE_STORE_FAILED',
      'there is no quarantine: its file in the data folder could not be opened',
    );
  }

  async #within(quarantined: Quarantined): Promise<ReplayOutcome> {
    // Asked for twice, it still goes through its route once.
    const known = this.#underWay.get(quarantined.id);
    const run = known ?? this.#run(quarantined);
    this.#underWay.set(quarantined.id, run);
    const abort = new AbortController();
    try {
      const late = sleep<ReplayOutcome>(PATIENCE_MS, { outcome: 'pending' }, { signal: abort.signal });
      return await Promise.race([run, late]);
    } finally {
      abort.abort();
    }
  }

  /** Goes on when nobody waits for it any more. */
  async #run({ id, at, route, frame }: Quarantined): Promise<ReplayOutcome> {
    const { router, metrics } = this.#parts;
    const quarantine = this.#quarantine;
    try {
      const replay = router.replayOf(route);
      if (replay === undefined)
        throw new SluiceError(
          'SLUICE_QUARANTINE_ROUTE',
          `the frame ${id} came through the route ${route}, which is gone`,
        );
      const replayed = await replay.run(frame, { id, at });
      metrics.replayed(replayed.outcome);
      if (replayed.outcome === 'delivered') await quarantine.remove({ id });
      else if (NOT_RUN.has(replayed.fault.code)) return notRun(replayed);
      else await quarantine.failedAgain(id, replayed);
      return replayed;
    } finally {
      this.#underWay.delete(id);
    }
  }
}

/** No plugin has seen it: what it failed on before stands. */
function notRun(replayed: Extract<Replayed, { outcome: 'refused' }>): Replayed {
  const { plugin, fault } = replayed;
  const message = `${fault.message}, so the frame was not run; it stays in quarantine as it was: replay it when ${plugin} serves again`;
  return { ...replayed, fault: { ...fault, message } };
}
