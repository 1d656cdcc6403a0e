import { faultOf, type Granted, SluiceError } from '../../../runtime/index.js';
import type { ChainSpec, Generation } from '../../../sandbox/index.js';
import type { Offer } from '../../plugins/offer.js';
import { chainOf } from './chain-of.js';
import type { RouterParts } from './router-parts.js';
import type { RunningRoute } from './running-route.js';
import type { Shelf } from './shelf.js';

export interface SwapsParts
  extends Pick<RouterParts, 'plugins' | 'policy' | 'pool' | 'metrics' | 'report' | 'connected' | 'swapped'> {
  readonly shelf: Shelf;
  /** What this plugin gets by the policy that is in force. */
  readonly grantedTo: (plugin: string) => Granted | undefined;
  /** An offer was refused: if nobody serves the route, its frames are not to wait for it. */
  readonly refused: (running: RunningRoute) => void;
  /** So was the first that a route was made for, and nothing waits for another. */
  readonly useless: (running: RunningRoute, offer: Offer, error: SluiceError) => void;
  /** Another policy came into force while a swap was under way. */
  readonly outdated: (running: RunningRoute) => Promise<void>;
}

/** Brings what is offered into the routes, as generations of their slots, and says what became of it. */
export class Swaps {
  readonly #parts: SwapsParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: SwapsParts) {
    this.#parts = parts;
  }

  /** In its own time. */
  begin(running: RunningRoute, offer: Offer): void {
    void this.track(this.run(running, offer));
  }

  /** `settled` waits for this too. */
  track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }

  /** What is under way has ended. */
  async settled(): Promise<void> {
    // What one of them failed with is said by who began it.
    await Promise.allSettled(this.#underWay);
  }

  /**
   * @param known why it was stopped, which is not forgotten if no thread can be had to say where
   * @param outgrown what runs and may hold more than it is to have: it ends if a fresh instance does not start with less
   */
  async run(running: RunningRoute, offer: Offer, known?: SluiceError, outgrown?: Generation): Promise<void> {
    const { shelf, policy, swapped, outdated, metrics, pool } = this.#parts;
    const { route } = running;
    const offers = shelf.chosen(running, offer);
    if (offers === undefined) return;
    const began = performance.now();
    const where = { route: route.name, plugin: offer.name, version: offer.manifest.version };
    try {
      const { version } = policy.current;
      await route.swap(this.chain(running, offers));
      running.refused.delete(offer);
      this.#sayServes(offer, route.slot.generation, Math.round(performance.now() - began), where);
      swapped({ offer, route: route.name, generation: route.slot.generation });
      this.#connect(running);
      // What was allowed then is judged by what is in force now.
      if (policy.current.version !== version) await outdated(running);
    } catch (thrown) {
      const busy = faultOf(thrown).code.startsWith('SLUICE_SANDBOX_');
      if (outgrown !== undefined && route.slot.current === outgrown) {
        const ended = route.slot.forbid(outgrown);
        if (route.slot.state === 'stopped') running.serving = new Map();
        await ended;
        // Its thread is free now.
        if (busy) return this.run(running, offer, known);
      }
      this.#refused(running, offer, busy && known !== undefined ? known : thrown, where);
    }
    metrics.sandboxes(pool.size);
  }

  /** What a route runs with these, under the policy of now. @throws SluiceError SLUICE_CHAIN_PORTS */
  chain(running: RunningRoute, offers: ReadonlyMap<string, Offer>): ChainSpec {
    const spec = chainOf({ steps: running.steps, offers }, this.#parts.plugins, this.#parts.policy);
    running.offersOf.set(spec, offers);
    return spec;
  }

  #connect(running: RunningRoute): void {
    if (running.waiting.length === 0) return;
    for (const feed of running.waiting) feed.connect(running.route, running.filters);
    running.waiting = [];
    this.#parts.connected();
  }

  #refused(running: RunningRoute, offer: Offer, thrown: unknown, where: Record<string, string>): void {
    const { metrics, report, swapped, refused, useless } = this.#parts;
    const error = thrown instanceof SluiceError ? thrown : new SluiceError('SLUICE_INTERNAL', String(thrown));
    // That there was no thread for it says nothing about the plugin.
    if (!error.code.startsWith('SLUICE_SANDBOX_')) running.refused.set(offer, error.toFault());
    const { route } = running;
    const { name, slot } = route;
    const goesOn = slot.state !== 'stopped';
    // Another swap may wait to start what would be the first.
    const serves = goesOn && slot.current !== undefined;
    const before = slot.generation > 0 ? 'frames of its route wait' : 'nothing serves this route yet';
    const serving = serves ? 'the version before it serves on' : before;
    metrics.plugin(offer.name).faulted(offer.manifest.version, error.code);
    const message = `${offer.file} is refused: ${error.message}; ${serving}`;
    report.refused({ ...error.toFault(), message }, where);
    swapped({ offer, route: name, generation: slot.generation, fault: error.toFault() });
    refused(running);
    // A route of its own that never ran leaves no trace; the next version of the file gets another. What waits on the
    // disk for it is that one's only if it is the same.
    if (!goesOn && running.waiting.length > 0 && !route.hasParked) useless(running, offer, error);
  }

  #sayServes(offer: Offer, generation: number, ms: number, where: Readonly<Record<string, string>>): void {
    const denied = this.#parts.grantedTo(offer.name)?.denied ?? [];
    const words = denied.length === 0 ? '' : `; it asks for more than it gets: ${denied.join('; ')}`;
    this.#parts.report.info(`${offer.file} serves (generation ${generation}, ${ms} ms)${words}`, where);
  }
}
