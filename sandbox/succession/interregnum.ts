import type { Lineage } from '../generation/lineage.js';
import type { Recovery } from '../ring/recovery.js';
import { Refuser } from '../ring/refuser.js';
import type { Ring } from '../ring/ring.js';
import type { SlotEvents, WhenOpen } from './slot-events.js';

/** What becomes of the frames of a ring while nobody serves it. */
export class Interregnum {
  readonly #ring: Ring;
  readonly #lineage: Lineage;
  readonly #events: SlotEvents;
  readonly #refuser: Refuser;

  constructor(ring: Ring, recovery: Recovery, lineage: Lineage, events: SlotEvents) {
    this.#ring = ring;
    this.#lineage = lineage;
    this.#events = events;
    this.#refuser = new Refuser(recovery, () => events.committed());
  }

  /** Where the frames of an open breaker go. */
  get framesGo(): WhenOpen {
    const has = this.#lineage.fallback !== undefined;
    const wanted = this.#events.whenOpen?.(has) ?? 'fallback';
    return wanted === 'fallback' && !has ? 'spool' : wanted;
  }

  /** Where those go that nobody is to serve: there is nobody to fall back to. */
  get framesOfNobodyGo(): WhenOpen {
    const wanted = this.#events.whenOpen?.(false) ?? 'fallback';
    return wanted === 'fallback' ? 'spool' : wanted;
  }

  /** What is published comes back unseen by any plugin. */
  get givesBack(): boolean {
    return this.#refuser.isOn;
  }

  /** What is published comes back, to be refused, or because it has to wait elsewhere; else it waits in the ring. */
  giveBack(plugin: string, frames: WhenOpen): void {
    const parks = frames === 'spool' && this.#events.parks?.() === true;
    if (parks || frames === 'refuse') this.#refuser.on(plugin, parks);
  }

  /** Somebody serves again, or the end has come: what was put aside while nobody did comes before what is not yet. */
  end(): void {
    if (this.#refuser.putsAside) {
      this.#ring.publish();
      this.#refuser.now();
    }
    this.#refuser.off();
  }

  /** Something is published. */
  published(): void {
    this.#refuser.published();
  }
}
