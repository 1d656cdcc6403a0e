import type { Section } from '../../wasm-sections.js';

/** What a core module is, as the scanner found it in one pass. Plain data: it crosses threads, and the policy judges it. */
export interface ModuleFacts {
  /** Size of the file. */
  readonly bytes: number;
  readonly sections: readonly Section[];
  /** `params:results` of each function type, for example `i32,i32:i32`; of other types their form, for example `struct`. */
  readonly types: readonly string[];
  readonly imports: readonly ImportFact[];
  readonly exports: ReadonlyMap<string, ExportFact>;
  /** Those that the module defines itself; imported ones are in `imports`. */
  readonly memories: readonly Limits[];
  readonly tables: readonly Limits[];
  readonly globals: number;
  readonly tags: number;
  /** Functions with a body. */
  readonly functions: number;
  /** Index of the start function, in the space that begins with the imported ones. */
  readonly start: number | undefined;
  readonly elements: { readonly segments: number; readonly entries: number };
  readonly data: { readonly segments: number; readonly bytes: number };
  readonly custom: { readonly sections: number; readonly bytes: number };
  /** The largest of each, with the function it was found in. */
  readonly body: Peak;
  readonly nesting: Peak;
  readonly locals: Peak;
  /** Name of each instruction that occurs, with how often: also in functions that nothing calls, and in constant expressions. */
  readonly opcodes: ReadonlyMap<string, number>;
  /** Feature classes that the file uses, in code or in what it declares, with the first place. */
  readonly features: ReadonlyMap<FeatureClass, Place>;
}

/** Proposals by which instructions and declarations are grouped; `mvp` is WebAssembly 1.0. */
export type FeatureClass =
  | 'mvp'
  | 'sign-extension'
  | 'saturating-conversions'
  | 'bulk-memory'
  | 'reference-types'
  | 'multi-value'
  | 'extended-const'
  | 'tail-call'
  | 'simd'
  | 'relaxed-simd'
  | 'threads'
  | 'exceptions'
  | 'function-references'
  | 'gc'
  | 'memory64'
  | 'multi-memory'
  | 'wide-arithmetic';

/** A place in the file. */
export interface Place {
  /** Byte from the start of the file. */
  readonly offset: number;
  /** Index of the function, imported ones counted; undefined outside of code. */
  readonly function?: number;
}

/** The largest value of something, and the function that has it. */
export interface Peak extends Place {
  readonly value: number;
}

/** One occurrence of an instruction. */
export interface Sighting extends Place {
  readonly opcode: string;
  /** From the name section or, failing that, an export. */
  readonly name?: string;
}

export type ExternKind = 'func' | 'table' | 'memory' | 'global' | 'tag';

export interface ImportFact {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of a function its `params:results`, else its kind. */
  readonly type: string;
  /** Of a memory or a table. */
  readonly limits?: Limits;
}

export interface ExportFact {
  readonly kind: ExternKind;
  readonly type: string;
}

/** Size of a memory in pages or of a table in entries. */
export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
  readonly shared: boolean;
  /** 64-bit addresses. */
  readonly wide: boolean;
  /** Bytes of the file that hold flags, min and max. */
  readonly start: number;
  readonly end: number;
}
