import type { Ingress, Source } from '../../../host/sources/source.js';

/** What lies between source and sink. */
export interface Path {
  readonly ingress: Ingress;
  /** The source that writes here; it is told of room. */
  connect(source: Source): void;
  counts(): Promise<Counts>;
  /** Lets what is under way reach the sink. */
  drain(): Promise<void>;
  /** Ends what the path has started. */
  close(): Promise<void>;
}

/** So far. */
export interface Counts {
  /** Frames taken from the source. */
  readonly frames: number;
  /** Polls left out, failures, refusals, losses: there should be none. */
  readonly missed: number;
}
