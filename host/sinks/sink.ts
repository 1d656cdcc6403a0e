import type { Fault } from '../../runtime/index.js';
import type { MessageView } from '../../sandbox/index.js';
import type { FrameId, MessageId } from './message-id.js';

/**
 * A group of messages that is confirmed together (those of one slab in one sink's hands). The sink calls
 * `done(n)` as they are confirmed, in any order; the route closes the ticket when all are.
 */
export interface Ticket {
  /** `count` messages of this ticket are confirmed northbound. */
  done(count: number): void;
  /** `count` messages were dropped for good, with a reason. */
  dropped(count: number, code: Fault['code']): void;
  /** `count` messages of this ticket are on the disk, and go out later: their device need not wait. */
  spooled(count: number): void;
}

/** A northbound endpoint with a bounded window. */
export interface Sink {
  /** Starts to connect. A peer that is away is no error: it is tried again with back-off. */
  start(): Promise<void>;
  /**
   * Takes the message that `view` stands on; its bytes and its id are copied before this returns.
   * Returns false when the window is full: nothing was taken, and `onRoom` is called once there is room.
   */
  write(view: MessageView, ticket: Ticket, id: FrameId): boolean;
  /** Everything written in this turn may go out now (coalesced writes). Called after each batch. */
  flush(): void;
  /** Set by the route: called when a full window has room again. */
  onRoom: () => void;
  /** Waits for confirmations until `signal` aborts, then closes; what is unconfirmed is dropped with a code. */
  stop(signal: AbortSignal): Promise<void>;
  /** For status pages. */
  state(): SinkState;
}

/** A sink whose messages wait in a window, and can be copied from there. */
export interface WindowedSink extends Sink {
  write(view: MessageView, ticket: Ticket, id: MessageId): boolean;
  /** Most messages that may wait. */
  readonly capacity: number;
  /** Messages taken since the start. */
  readonly taken: number;
  /** Of the messages that were taken, so many of the oldest are settled. */
  readonly settled: number;
  /** There may be an insurer: for it the ids of messages are kept. Called before the first message. */
  keepIds(): void;
  /** Shows the messages that are not settled, oldest first. */
  insure(insurer: Insurer): void;
}

/** Makes copies of messages that wait in the window of a sink. */
export interface Insurer {
  /** The message of this ticket has its copy. */
  has(ticket: Ticket): boolean;
  /** Copies a message; gives the ticket that takes the place of its own, or undefined when it can take no more. */
  copy(view: MessageView, id: FrameId, ticket: Ticket): Ticket | undefined;
}

export interface SinkState {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly fault?: Fault;
  /** Messages taken but not confirmed. */
  readonly inFlight: number;
  /** What lies in its spool, if it has one. */
  readonly spool?: SpoolSums;
}

export interface SpoolSums {
  readonly records: number;
  readonly bytes: number;
  /** Age of the oldest. */
  readonly oldestMs: number;
  /** Why nothing can be put down now. */
  readonly fault?: Fault;
  /** Sources of which nothing can be put down as long as the gateway runs: all queues there can be are taken. */
  readonly withoutPlace?: readonly string[];
}

/** What every sink reports to the host. */
export interface SinkReport {
  /** Something that went wrong at the sink; counted by code and logged (rate-limited by the host). */
  failed(fault: Fault): void;
  /** The northbound system has accepted the connection, for the first time or again. */
  connected(): void;
  /** Messages sent again after a lost connection. */
  retried(count: number): void;
}
