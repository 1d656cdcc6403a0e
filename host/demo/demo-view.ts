import type { Happening } from './happenings.js';

/** One device or unit, as the table shows it. */
export interface UnitRow {
  readonly device: string;
  /** Name and version of what serves its route. */
  readonly plugin: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Replies of the device for which no message came. */
  readonly faults: number;
  /** Of its circuit breaker: closed, open, half-open. */
  readonly breaker: string;
  /** Of the slot: serving, recovering, failed, ... */
  readonly state: string;
  readonly message: string;
}

/** Everything on the screen at one moment. */
export interface DemoView {
  readonly seconds: number;
  /** Where things are: `[name, place]`. */
  readonly places: readonly (readonly [string, string])[];
  readonly rows: readonly UnitRow[];
  readonly totals: { readonly messages: number; readonly missing: number; readonly duplicated: number };
  /** The oldest first. */
  readonly happenings: readonly Happening[];
  readonly columns: number;
  readonly lines: number;
}
