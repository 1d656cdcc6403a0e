import type { Arena, Call, Place } from './arena.js';

/** Where kernels run: a WebAssembly module, or a native program. */
export interface Side {
  /** Takes the contents of an arena in place of the one before. */
  load(arena: Arena): Promise<void>;
  /** Calls a kernel `count` times. @throws Error it is not there */
  time(call: Call, count: number): Promise<Timed>;
  read(place: Place): Promise<Uint8Array>;
}

export interface Timed {
  /** Of the last call. */
  readonly answer: number;
  /** Of all calls. */
  readonly nanoseconds: number;
}
