import type { Offer } from '../../plugins/offer.js';
import { enforce } from './enforce.js';
import { type RunningRoute, takeRefused } from './running-route.js';
import type { Shelf } from './shelf.js';
import type { Swaps } from './swaps.js';

export interface EnforcementParts {
  readonly shelf: Shelf;
  readonly swaps: Swaps;
  /** Nobody may serve the route any more. */
  readonly stopped: (running: RunningRoute) => void;
  /** Files that were refused under another policy, and in whose place others have come: another chance for them. */
  readonly offerAgain: (offers: readonly Offer[]) => void;
}

/** A policy that has changed, for what the routes run and for what they were refused. */
export class Enforcement {
  readonly #parts: EnforcementParts;

  constructor(parts: EnforcementParts) {
    this.#parts = parts;
  }

  /** What may not run in the route ends, what had no chance gets another, and all else goes on. */
  async on(running: RunningRoute): Promise<void> {
    const { shelf, swaps, stopped: leave } = this.#parts;
    const { slot } = running.route;
    const { current } = slot;
    const { stopped, caps, ended } = enforce(slot, before => {
      const offers = running.offersOf.get(before);
      return offers && swaps.chain(running, offers);
    });
    if (slot.state === 'stopped') running.serving = new Map();
    await ended;
    leave(running);
    const again = takeRefused(running);
    this.#offerAgain(again);
    const newest = shelf.newestOf(running.steps);
    const concerned =
      newest.find(({ name }) => name === stopped?.plugin) ?? newest.find(each => again.includes(each));
    const offer = concerned ?? (caps === 'same' ? undefined : newest[0]);
    const outgrown = caps === 'shrinks' ? current : undefined;
    if (offer !== undefined) await swaps.run(running, offer, stopped, outgrown);
    if (stopped === undefined) return;
    // What came together with the forbidden one, and may run, goes on without it.
    const { refused, serving } = running;
    const rest = newest.find(each => !refused.has(each) && serving.get(each.name) !== each);
    if (rest !== undefined && refused.size > 0 && serving.size > 0) await swaps.run(running, rest);
  }

  /** Offers that have no route: those that are still the newest of their plugins are given back, the others offered again. */
  stillNewest(offers: readonly Offer[]): Offer[] {
    this.#offerAgain(offers);
    return offers.filter(offer => this.#parts.shelf.isNewest(offer));
  }

  #offerAgain(offers: readonly Offer[]): void {
    const displaced = offers.filter(offer => !this.#parts.shelf.isNewest(offer));
    if (displaced.length > 0) this.#parts.offerAgain(displaced);
  }
}
