import type { Fault } from '../../runtime/index.js';
import type { Generation } from '../generation/generation.js';
import type { Restored } from '../messages.js';
import { CALL, MODE } from '../ring/ring-words.js';
import type { Told } from '../seat/seat.js';
import type { Reign } from './reign.js';
import type { ReignParts } from './reign-parts.js';
import { upToOf } from './state-keeper.js';

/** What is heard from the thread that serves, its death included, and what follows from it. */
export class News {
  readonly #parts: ReignParts;
  readonly #reign: Reign;

  constructor(parts: ReignParts, reign: Reign) {
    this.#parts = parts;
    this.#reign = reign;
  }

  told(message: Told): void {
    const { events } = this.#parts;
    switch (message.kind) {
      case 'log':
        events.log(message.plugin, message.lines, message.lost);
        return;
      case 'state':
        this.#saved(message);
        return;
      case 'restored':
        this.#restored(message);
        return;
      case 'unsaved':
        this.#unsaved(message.fault, this.#nameOf(message.stage, message.fault));
        return;
      case 'fault':
        this.#failed(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** The serving thread is gone: what it had not committed is run again by a fresh one. */
  died(fault: Fault, where: number, purpose: number): void {
    const { seat, judge, recovery, events } = this.#parts;
    if (this.#reign.state === 'stopped') return;
    const isStillSo = this.#reign.bereave();
    const plugin = this.#nameOf(where, fault);
    const overState = purpose === CALL.import || purpose === CALL.export;
    if (overState) this.#diedOverState(fault, where, purpose);
    // That is no frame's doing.
    const stage = overState ? -1 : where;
    if (this.#reign.mode === MODE.strict) {
      recovery.release();
      judge.gaveUp(fault, plugin);
    } else this.#blame(fault, stage, plugin);
    // What is refused is delivered by this, and can open the breaker.
    events.committed();
    if (!isStillSo()) return;
    events.restarted(fault, plugin);
    if (!seat.isDraining) void this.#reign.restart(seat.generation as Generation);
  }

  #blame(fault: Fault, stage: number, plugin: string): void {
    const { judge, recovery, events } = this.#parts;
    const { frames, again } = recovery.blame(stage, fault);
    if (frames > 0) events.fault(fault, plugin, frames, again);
    if (!again) return;
    this.#failedTogether(frames);
    if (fault.code === 'SLUICE_GUEST_DEADLINE') judge.tooSlow(fault, plugin);
  }

  /** It is not tried again: the next instance begins without a state, or is not asked for its own. */
  #diedOverState(fault: Fault, stage: number, purpose: number): void {
    const generation = this.#parts.seat.generation as Generation;
    const plugin = this.#nameOf(stage, fault);
    if (purpose === CALL.export) {
      this.#unsaved(fault, plugin);
      return;
    }
    this.#parts.states.drop(generation);
    const refused: Fault = { ...fault, code: 'SLUICE_STATE_REFUSED' };
    this.#parts.events.restored?.({ plugin, generation, from: undefined, refused });
  }

  #saved(message: Extract<Told, { kind: 'state' }>): void {
    const { seat, states, events } = this.#parts;
    states.put(message);
    if (message.generation === seat.generation?.number)
      events.saved?.(states.kept(message.states, seat.generation), upToOf(message));
  }

  #restored({ stage, from, refused }: Restored): void {
    const generation = this.#parts.seat.generation as Generation;
    this.#parts.events.restored?.({ plugin: generation.nameOf(stage), generation, from, refused });
  }

  #unsaved(fault: Fault, plugin: string): void {
    const generation = this.#parts.seat.generation as Generation;
    generation.isUnsaved = true;
    this.#parts.events.unsaved?.(fault, plugin);
  }

  #failed(message: Extract<Told, { kind: 'fault' }>): void {
    const { fault, stage, frames, again, gaveUp } = message;
    const plugin = this.#nameOf(stage, fault);
    if (gaveUp) {
      const generation = this.#parts.seat.generation as Generation;
      this.#parts.judge.gaveUp(fault, plugin);
      // Its trial had ended meanwhile: it is to go on with its slab, and nobody else.
      if (this.#reign.state === 'serving')
        this.#reign.leaveTo('recovering', () => this.#reign.restart(generation));
      return;
    }
    this.#failedTogether(frames);
    this.#parts.events.fault(fault, plugin, frames, again);
  }

  /** Fewer go together from now on. */
  #failedTogether(frames: number): void {
    if (frames > 1) this.#parts.ring.batchLimit = Math.max(1, Math.floor(frames / 2));
  }

  #nameOf(stage: number, fault: Fault): string {
    return this.#parts.seat.generation?.nameOf(stage, fault) ?? 'unknown';
  }
}
