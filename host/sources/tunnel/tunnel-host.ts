import type { Fault } from '../../../runtime/index.js';
import type { FrameReader } from '../../protocols/tunnel/frame-reader.js';
import type { DataFrame, Hello } from '../../protocols/tunnel/messages.js';
import type { RateLimit } from '../serve/rate-limit.js';
import type { Session } from './session.js';
import type { TunnelSettings } from './tunnel-config.js';
import type { TunnelConnection } from './tunnel-connection.js';

/** What the connections of one source share. */
export interface TunnelHost {
  readonly settings: TunnelSettings;
  /** Of all connections together. */
  readonly rate: RateLimit;
  /** What comes is read into it, of one connection after the other; undefined: a new one reads into memory of its own. */
  reads(): Uint8Array | undefined;
  /** Milliseconds that never jump. */
  steady(): number;
  wall(): number;
  /** Who this is; undefined: its token is not the right one. */
  attach(hello: Hello, connection: TunnelConnection): Session | undefined;
  /** Hands a frame over: true when it was taken or refused for good, false when there is no room. */
  push(connection: TunnelConnection, frame: FrameReader, data: DataFrame, receivedAt: number): boolean;
  /** A frame found no room: call `resume` once there is. */
  blocked(connection: TunnelConnection): void;
  /** Calls `greet` some milliseconds later, by when what came with its HELLO may be acknowledged. */
  greetSoon(connection: TunnelConnection): void;
  /** Bytes more (or less) that are held for frames that have not come whole; false: too many, in all or of this address. */
  holds(bytes: number, peer: string): boolean;
  /** Frames that are left out, or that wait, for a reason that is no failure. */
  skipped(code: Fault['code']): void;
  failed(code: Fault['code'], message: string, peer: string): void;
  closed(connection: TunnelConnection): void;
}
