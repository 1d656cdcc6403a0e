/**
 * Every ceiling of our own code, each with its reason. Sizes in bytes unless the name says otherwise. What a module
 * may have, and an operator may change, is in admission/ceilings.ts.
 */
export const LIMITS = {
  /** A plugin file. Guests from our SDKs are 1-100 kB; a component with a language runtime is a few MB. */
  file: 32 << 20,
  /** One page of wasm memory (core specification 4.2.8). */
  page: 65536,
  /** Sections of a file: 30 MB of empty ones would keep the reader busy for seconds. Real files have at most a few hundred. */
  sections: 10_000,
  /** Types of a module: each becomes a text. LLVM, the largest module that we know, has 542. */
  types: 10_000,
  /** Functions with a body, as in every engine (JavaScript API, "Limits"). */
  functions: 1_000_000,
  /** Imports and exports: each becomes an object with names. */
  imports: 10_000,
  exports: 10_000,
  /** Memories, and tables, that the reader lists; how many a plugin may have is a matter of policy. */
  declared: 1000,
  /** Parameters or results of a function type, as in every engine (JavaScript API, "Limits"). */
  values: 1000,
  /** Parameters, results and fields of all types together: they become texts of some four bytes each. */
  typeValues: 100_000,
  /** Fields of a structure, as in every engine. */
  fields: 10_000,
  /** Bytes of the name of an import, export or custom section, as in every engine. */
  name: 100_000,
  /** Bytes of a function's name in a message. */
  shownName: 120,
  /** First size of a slab: small, so that an idle gateway stays small. */
  slab: 256 << 10,
  /** Largest slab, and so the largest frame with its results. */
  slabMax: 64 << 20,
  /** Result bytes of one batch, unless manifest and configuration agree on another value. */
  output: 16 << 20,
  /** Most frames in a batch: beyond this the cost a frame no longer falls. */
  batch: 2048,
  /** Slabs of a ring: one filled, one run, one delivered, one spare. */
  slabs: 4,
  /** Log lines that one call of a guest may leave, and their length. */
  logLines: 16,
  logBytes: 256,
} as const;
