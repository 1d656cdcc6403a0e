import type { Fault } from '../../runtime/index.js';
import type { KeptState, SlotChange, WhenOpen } from '../../sandbox/index.js';
import type { Sink } from '../sinks/sink.js';
import type { FrameNames } from '../sources/source.js';
import type { Spool } from '../spool/spool.js';
import type { WhenFull } from '../store/messages.js';
import type { Poison } from '../store/quarantine.js';
import type { SinkMetrics } from '../telemetry/sink-metrics.js';
import type { Route } from './route.js';

export interface RouteSink {
  readonly name: string;
  readonly sink: Sink;
  readonly metrics: SinkMetrics;
}

/** Which plugin of a chain it was. */
export interface Culprit {
  readonly version: string;
  /** Its place in the chain, from 0. */
  readonly stage: number;
}

/** A source as the route sees it: told when it may go on, and what has been delivered. */
export interface RouteSource {
  readonly name: string;
  /** Where this route does not take its frames, it feeds no other either. */
  readonly holdsOthersUp?: boolean;
  /** How many routes it feeds already. */
  readonly routes: number;
  /** Its devices count their frames themselves. */
  readonly names?: FrameNames | undefined;
  resume(): void;
  /** Every frame of this route up to `sequence` is confirmed. */
  delivered(sequence: number, route: Route): void;
  /** @param culprit who did; absent: no plugin has run the frame */
  refused(plugin: string, fault: Fault, culprit?: Culprit): void;
  /** A frame is refused unseen, as nobody serves. True: nothing is lost by that; else it has to be kept. */
  sendBack(sequence: number, code: Fault['code']): boolean;
  /** Its frames are in quarantine already, and stay there when they are refused again. */
  readonly replays?: boolean;
  /** Its frames were others' before: that they are delivered waits for none but those before them of its own. */
  readonly overtakes?: boolean;
}

/** Resolves when the frame is safe, or when it is known (and said) that it cannot be. */
export type Isolate = (poison: Poison) => Promise<void>;

/** Where what plugins remember outlives the process. */
export interface KeptStates {
  load(route: string): Promise<readonly KeptState[]>;
  /** @param settled waited for before it outlives the process: no frame that is counted in it can come again from the disk */
  save(route: string, states: readonly KeptState[], settled: () => Promise<void>): void;
}

export interface RouteOptions {
  /** Absent: a route begins without. */
  readonly states?: () => KeptStates | undefined;
  /** Where frames go while a breaker is open. Default `fallback`. */
  readonly whenOpen?: WhenOpen;
  /** Where they wait, if they are to wait. Absent: in the ring. */
  readonly spool?: Spool | undefined;
  /** What makes room there. Default `keep-all`. */
  readonly whenFull?: WhenFull;
  /** Told of every change in who serves, after the route itself has taken note. */
  readonly changed?: (change: SlotChange) => void;
}
