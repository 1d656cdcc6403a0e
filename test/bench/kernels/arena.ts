type Values = Float32Array | Float64Array | Uint8Array | Uint32Array;

/** A buffer of a call, by its place in the arena. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** What a kernel takes: a whole number, a place, or a double. */
export type Argument = number | Place | { readonly double: number };

export interface Call {
  /** Without sluice_kernel_. */
  readonly kernel: string;
  readonly args: readonly Argument[];
}

/** Buffers of one case, laid out once for all sides: each puts them into memory of its own. */
export class Arena {
  readonly contents: { readonly place: Place; readonly bytes: Uint8Array }[] = [];
  #next = 4096;

  room(bytes: number): Place {
    const place = { at: this.#next, bytes };
    // A cache line in between, and never at the same place of a page: that would stall loads behind stores.
    this.#next = Math.ceil((this.#next + bytes) / 64) * 64 + 192;
    return place;
  }

  put(values: Values): Place {
    const place = this.room(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    this.contents.push({ place, bytes });
    return place;
  }
}
