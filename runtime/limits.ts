/** Every ceiling, each with its reason. Sizes in bytes unless the name says otherwise. */
export const LIMITS = {
  /** A plugin file. Guests from our SDKs are 1-100 kB; a component with a language runtime is a few MB. */
  file: 32 << 20,
  /** One page of wasm memory (core specification 4.2.8). */
  page: 65536,
  /** Entries of one table, first and later: function tables of real guests have at most a few thousand. */
  tableEntries: 10_000,
  /** Sections of a file: 30 MB of empty ones would keep the reader busy for seconds. Real files have at most a few hundred. */
  sections: 10_000,
  /** Entries of one section (types, imports, functions, exports): a language runtime has some 30,000 functions. */
  entries: 100_000,
  /** Parameters or results of a function type, as in every engine (JavaScript API, "Limits"). */
  values: 1000,
  /** Tables of a module. */
  tables: 16,
  /** First size of a slab: small, so that an idle gateway stays small. */
  slab: 256 << 10,
  /** Largest slab, and so the largest frame with its results. */
  slabMax: 64 << 20,
  /** Result bytes of one batch, unless manifest and configuration agree on another value. */
  output: 16 << 20,
  /** Most frames in a batch: beyond this the cost a frame no longer falls. */
  batch: 1024,
  /** Slabs of a ring: one filled, one run, one delivered, one spare. */
  slabs: 4,
  /** Log lines that one call of a guest may leave, and their length. */
  logLines: 16,
  logBytes: 256,
} as const;
