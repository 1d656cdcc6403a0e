import type { StepConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import type { RunningRoute } from './running-route.js';

/** What the plugin folder offers, and which plugins are not to run, whatever it offers. */
export class Shelf {
  readonly #offers = new Map<string, Offer>();
  readonly #disabled = new Set<string>();

  /** By plugin: the newest of each. */
  get offers(): ReadonlyMap<string, Offer> {
    return this.#offers;
  }

  get disabled(): ReadonlySet<string> {
    return this.#disabled;
  }

  put(offer: Offer): void {
    this.#offers.set(offer.name, offer);
  }

  remove(plugin: string): void {
    this.#offers.delete(plugin);
  }

  disable(plugin: string): void {
    this.#disabled.add(plugin);
  }

  /** True: it was disabled. */
  enable(plugin: string): boolean {
    return this.#disabled.delete(plugin);
  }

  /** No other version of the plugin has come since. */
  isNewest(offer: Offer): boolean {
    return this.#offers.get(offer.name) === offer;
  }

  /** Plugins of the steps that no file carries. */
  missing(steps: readonly StepConfig[]): string[] {
    return steps.map(({ plugin }) => plugin).filter(plugin => !this.#offers.has(plugin));
  }

  /** The newest of each plugin of the steps, of those that are there. */
  newestOf(steps: readonly StepConfig[]): Offer[] {
    return steps.flatMap(({ plugin }) => this.#offers.get(plugin) ?? []);
  }

  /** The version of each plugin of a route that is to run with `changed`; undefined while one is missing or disabled. */
  chosen(
    { steps, serving, refused }: Pick<RunningRoute, 'steps' | 'serving' | 'refused'>,
    changed: Offer,
  ): Map<string, Offer> | undefined {
    const chosen = new Map<string, Offer>();
    for (const { plugin } of steps) {
      const newest = this.#offers.get(plugin);
      if (newest === undefined || this.#disabled.has(plugin)) return undefined;
      // A version that was refused here must not keep its neighbours from being replaced.
      const known = newest !== changed && refused.has(newest) ? serving.get(plugin) : undefined;
      chosen.set(plugin, known ?? newest);
    }
    return chosen;
  }
}
