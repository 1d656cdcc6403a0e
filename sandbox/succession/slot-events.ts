import type { Fault } from '../../runtime/index.js';
import type { Cause } from '../generation/breaker.js';
import type { Generation } from '../generation/generation.js';
import type { LogLine, Restored } from '../messages.js';
import type { KeptState } from './state-keeper.js';

/**
 * What becomes of frames while a breaker is open: `fallback` the generation before serves them; `spool` they wait: on
 * the disk where the route `parks`, else in the ring, and their sources with them; `refuse` they are refused with
 * SLUICE_BREAKER_OPEN.
 */
export type WhenOpen = 'fallback' | 'spool' | 'refuse';

/**
 * `open`: the breaker is, and no other generation serves in its stead; `failed`: no thread could be had for a fresh
 * instance, or it did not start and there is no breaker.
 */
export type SlotState = 'stopped' | 'starting' | 'serving' | 'recovering' | 'open' | 'failed';

/** Who serves, and why that changes. */
export type SlotChange =
  /** A generation has taken the ring over, from this slab on: after a swap, as fallback, or after a rollback. */
  | { readonly kind: 'serving'; readonly generation: Generation; readonly from: number }
  /** No guest of this generation is called any more. `retryMs` undefined: until a new file or an operator. */
  | {
      readonly kind: 'opened';
      readonly generation: Generation;
      readonly cause: Cause;
      readonly retryMs: number | undefined;
      readonly frames: WhenOpen;
      /** The try after an opening has failed: no new opening. */
      readonly again: boolean;
    }
  /** A batch took longer than its budget; the next ones have `next` frames at most. */
  | {
      readonly kind: 'slow';
      readonly generation: Generation;
      readonly frames: number;
      readonly ms: number;
      readonly next: number;
    }
  /** A generation failed on probation: the one before is started again, and runs what it failed on. */
  | {
      readonly kind: 'rolled-back';
      readonly generation: Generation;
      readonly back: Generation;
      readonly plugin: string;
      readonly fault: Fault;
      /** Frames that it had dealt with. */
      readonly frames: number;
    }
  /** A generation may not run any more: the one before is the newest again, and is started if it did not serve. */
  | { readonly kind: 'forbidden'; readonly generation: Generation; readonly back: Generation }
  /** It is tried again. */
  | { readonly kind: 'half-open'; readonly generation: Generation }
  /** It has stood its trial. */
  | { readonly kind: 'closed'; readonly generation: Generation };

export interface PluginRestored extends Omit<Restored, 'stage'> {
  readonly plugin: string;
  /** Whose instance it is. */
  readonly generation: Generation;
}

/** Told by a slot; set by the route. */
export interface SlotEvents {
  /** Slabs are committed: take them with `next`. */
  committed(): void;
  /** A call failed. `again`: its frames are run one by one; else that frame (or flush) is refused with this code. */
  fault(fault: Fault, plugin: string, frames: number, again: boolean): void;
  /** A fresh thread serves after a kill or a death. */
  restarted(fault: Fault, plugin: string): void;
  /** The chain could not be started again; it is tried again after `retryMs`. */
  failed(fault: Fault, retryMs: number): void;
  log(plugin: string, lines: readonly LogLine[], lost: number): void;
  changed?(change: SlotChange): void;
  /** What a fresh instance of a plugin that has a state goes on from. */
  restored?(restored: PluginRestored): void;
  /**
   * What the plugins of the route remember, when the slab `upTo` is behind them (or some of its frames are): all of
   * them that have a state. That slab may not be committed yet, let alone delivered.
   */
  saved?(states: readonly KeptState[], upTo: number): void;
  /** A plugin failed in export-state. */
  unsaved?(fault: Fault, plugin: string): void;
  /** Asked when a breaker opens. Absent: `fallback` where there is one, else `spool`. */
  whenOpen?(hasFallback: boolean): WhenOpen;
  /**
   * Asked when frames are to wait. True: none may lie in the ring for that; they are given back as refused
   * (SLUICE_BREAKER_OPEN), and brought again by whoever puts them aside. Absent: they wait in the ring.
   */
  parks?(): boolean;
}
