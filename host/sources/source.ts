import type { Fault, PropertyImage, Stamp } from '../../runtime/index.js';
import type { FrameId } from '../sinks/message-id.js';

/**
 * Where a source puts its frames. Strings that repeat (source, topic, properties) are registered once
 * and named by a number, so that a frame costs no allocation.
 */
export interface Ingress {
  /** Registers a topic of this source and gives the number that names it in `push`. */
  topic(text: string): number;
  /** Registers an ordered list of properties (`[key, value]`); number 0 is the empty list. */
  properties(list: readonly (readonly [string, string])[]): number;
  /**
   * As `topic`, for sources that do not know their topics beforehand: the text is `bytes[start, end)` in
   * UTF-8. With `reuse`, a number given earlier, that number stands for this text from now on, and nothing
   * is allocated as a rule; frames that were pushed before keep theirs.
   */
  topicOf(bytes: Uint8Array, start: number, end: number, reuse?: number): number;
  /** The same for a list of properties. */
  propertiesOf(image: PropertyImage, reuse?: number): number;
  /**
   * Hands a frame over: `bytes[start, end)` are copied before it returns.
   * Returns the frame's sequence number (1, 2, 3, ... per source), or 0 when no slab is free: nothing
   * was taken, the source stops reading, and `Source.resume` is called once there is room again.
   * @param time when it was made; copied before it returns
   * @throws SluiceError SLUICE_FRAME_TOO_LARGE
   */
  push(
    topic: number,
    time: Stamp,
    bytes: Uint8Array,
    start: number,
    end: number,
    properties?: number,
  ): number;
  /** True if a frame of this size would be taken now. */
  hasRoom(bytes: number): boolean;
  /**
   * A poll or frame that was not taken over, with the reason; counted and shown. Polls left out for a full
   * route, or of a `device` that is given, are said in the log too (rate-limited).
   * @param device for which the gateway was late, or that has not answered the poll before
   */
  skipped(code: Fault['code'], count?: number, device?: string): void;
  /** A device or broker answers, for the first time or again; said in the log after a failure. @param what default: answers */
  connected(peer: string, what?: string): void;
  /** Something that went wrong at the source; counted by code and logged (rate-limited by the host). */
  failed(fault: Fault, peer?: string): void;
}

/** What devices say of their frames themselves: the numbers of which message ids are then made, and traces. */
export interface FrameNames {
  /** Puts what the device says into the id of this frame, which is not delivered yet. Absent: its number here is its name. */
  name?(sequence: number, id: FrameId): void;
  /** The trace id (W3C Trace Context, in hex) that this frame came with, which is not delivered yet; guests never see it. */
  trace?(sequence: number): string | undefined;
}

/** A southbound protocol endpoint. Owns its sockets and timers; never blocks. */
export interface Source {
  /** It asks its devices again and again, so a frame that a full route does not take is made up for by the next. */
  readonly repeats: boolean;
  /** Where its devices count their frames, or send a trace with them. */
  readonly names?: FrameNames;
  /** Starts to listen or connect. A device that is away is no error: it is tried again with back-off. */
  start(): Promise<void>;
  /** There is room again after `push` returned 0. */
  resume(): void;
  /** Every frame up to and including this sequence is confirmed or spooled by every sink of its routes. */
  delivered(sequence: number): void;
  /**
   * A route does not take this frame, which is not delivered yet, as no plugin serves: `code` says why. True: its sender is
   * told so in place of a confirmation, and has it still. Else the frame has to be kept; so it is without this method.
   */
  sendBack?(sequence: number, code: Fault['code']): boolean;
  /**
   * Hands no more frames over; pending requests are failed. A source that acknowledges what was delivered
   * goes on with that until `close`; the others close what is open.
   */
  stop(): Promise<void>;
  /** After `stop`: nothing more is going to be delivered. Closes what is still open. */
  close?(): Promise<void>;
  /**
   * It has what is not confirmed northbound, and whoever sends may wait for that: silence is not held against it. Absent:
   * so it is while anything is not delivered, of a source that does not repeat.
   */
  readonly isHeldUp?: boolean;
  /**
   * The connection stands and brings nothing: closes it for this reason, which is said as that of any loss, and makes
   * it anew. False: there is none to close. Sources that find this out by themselves, or that others connect to, have none.
   */
  renew?(fault: Fault): boolean;
  /** For status pages: one line for each device or peer. */
  state(): readonly SourcePeer[];
}

export interface SourcePeer {
  readonly name: string;
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  /** Last failure, if any. */
  readonly fault?: Fault;
  /** Milliseconds since 1970 of the last frame, 0 if none. */
  readonly lastFrame: number;
}
