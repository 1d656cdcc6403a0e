/**
 * What a stage of a chain is given and gives back, whatever it is made of: a core module (fast path), a
 * component (portable path) or plain functions (null instance).
 */

/** Frames for a stage: a region of bytes and frame records whose pointers are relative to it. */
export interface Items {
  /** Memory that holds the region. */
  u8: Uint8Array;
  /** The region is u8[base, base + length). */
  base: number;
  length: number;
  /** Frame records of contract.ts, from word `recordsAt` on; pointers relative to the region. */
  records: Uint32Array;
  recordsAt: number;
  count: number;
  /** Bytes behind the region that pointers >= length name (text made between two stages). */
  tail: Uint8Array | undefined;
  /** Sample shape of each item where it is a block, else undefined. */
  shape: BlockShape | undefined;
  /** What to subtract from pointers inside property tuples to make them relative: 0 for a slab, the arena's address for a guest. */
  tuplesBase: number;
}

/** Rate, channels and format of each item between two kernels. */
export interface BlockShape {
  readonly rate: Float64Array;
  readonly channels: Uint32Array;
  /** 0 bytes, 1 f32. */
  readonly format: Uint8Array;
}

/** What a stage produced, still in its own memory until the next call. */
export interface Produced {
  u8: Uint8Array;
  u32: Uint32Array;
  f64: Float64Array;
  /** Begin of the arena: results may point from here ... */
  base: number;
  /** ... to here: the bytes that were the input region. */
  inputEnd: number;
  /** Begin of what the guest wrote. */
  resultsStart: number;
  end: number;
  /** Address of the results: list of result<list<message>, fault>, or of each block's result. */
  results: number;
  count: number;
  /** Kernels: the address of each block's result. */
  answers: Uint32Array | undefined;
}

/** What an instance remembers, for the one that goes on in its place. */
export interface SavedState {
  /** Of its form; the plugin's own. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

export interface Instance {
  readonly kind: 'converter' | 'kernel';
  /** It has export-state and import-state. */
  readonly isStateful: boolean;
  /** Bytes of its linear memory; 0: not known, as of a component's. */
  readonly memoryBytes: number;
  /** [base, inputEnd) of what it produces is, byte for byte, the region it was given. */
  readonly sharesInput: boolean;
  /** @throws SluiceError SLUICE_GUEST_CONFIG, or a guest fault */
  configure(config: string): void;
  /** @throws SluiceError a guest fault: the instance is then of no more use */
  run(items: Items): Produced;
  /** Gives out what is held back; `undefined` when the guest has nothing to flush with. */
  flush(nowLow: number, nowHigh: number): Produced | undefined;
  /** A copy, in shared memory. Only where `isStateful`. @throws SluiceError a guest fault */
  exportState(): SavedState;
  /**
   * Once, after `configure`. Only where `isStateful`.
   * @throws SluiceError SLUICE_STATE_REFUSED, or a guest fault: the instance is then of no more use
   */
  importState(state: SavedState): void;
}

/** Takes a line of a guest's log. */
export type GuestLog = (level: number, text: string) => void;
