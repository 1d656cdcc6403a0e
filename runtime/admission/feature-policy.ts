import type { FeatureClass } from './scan/facts.js';

/**
 * How a class of features is dealt with: `always` is WebAssembly 1.0; `default` may be taken away by a policy;
 * `granted` has to be asked for; `never` cannot be had, because the engine or our caps do not hold it;
 * `simd` has a rule of its own.
 */
export type Standing = 'always' | 'default' | 'granted' | 'never' | 'simd';

export interface FeatureRule {
  readonly standing: Standing;
  /** Why it stands there; completes "no policy allows it: ..." where it is `never`. */
  readonly why: string;
  /** How to do without it. */
  readonly fix: string;
}

const SAFE = 'it gives a plugin nothing that it could not do otherwise, and all compilers make it';

/** Every class, with its reason. */
export const FEATURES: Readonly<Record<FeatureClass, FeatureRule>> = {
  mvp: { standing: 'always', why: 'WebAssembly 1.0', fix: '' },
  'sign-extension': {
    standing: 'default',
    why: SAFE,
    fix: 'build without sign extension (clang: -mno-sign-ext)',
  },
  'saturating-conversions': {
    standing: 'default',
    why: SAFE,
    fix: 'build without saturating conversions (clang: -mno-nontrapping-fptoint)',
  },
  'bulk-memory': {
    standing: 'default',
    why: SAFE,
    fix: 'build without bulk memory (clang: -mno-bulk-memory)',
  },
  'reference-types': {
    standing: 'default',
    why: SAFE,
    fix: 'build without reference types (clang: -mno-reference-types)',
  },
  'multi-value': {
    standing: 'default',
    why: SAFE,
    fix: 'build without several results (clang: -mno-multivalue)',
  },
  'extended-const': {
    standing: 'default',
    why: SAFE,
    fix: 'build without extended constants (clang: -mno-extended-const)',
  },
  'tail-call': {
    // Tried on Node 24.21 with every compiler of V8: a thread in such a chain could not be terminated at all.
    standing: 'never',
    why: 'the engine cannot end an endless chain of them, so no deadline would hold',
    fix: 'build without tail calls (clang: -mno-tail-call)',
  },
  simd: {
    standing: 'simd',
    why: 'the rule `simd` says which instructions',
    fix: 'build without SIMD (clang: -mno-simd128)',
  },
  'relaxed-simd': {
    standing: 'granted',
    why: 'its results depend on the processor, so that vectors pass on one machine and fail on another',
    fix: 'build without relaxed SIMD (clang: -mno-relaxed-simd)',
  },
  threads: {
    standing: 'granted',
    why: 'a plugin has one thread: atomic instructions are taken where they are granted, shared memory never',
    fix: 'build without threads (clang: no -pthread, -mno-atomics)',
  },
  exceptions: {
    standing: 'granted',
    why: 'one that is not caught ends the instance like a trap',
    fix: 'build without exceptions (clang: -fno-exceptions)',
  },
  'function-references': {
    standing: 'granted',
    why: 'compilers for C, C++, Rust and AssemblyScript make none',
    fix: 'build without typed function references',
  },
  gc: {
    standing: 'never',
    why: 'its objects lie on the heap of the engine, where the memory cap of a plugin does not hold',
    fix: 'use a compiler that keeps its objects in linear memory',
  },
  memory64: {
    standing: 'never',
    why: 'pointers of the contract have 32 bits',
    fix: 'build for wasm32',
  },
  'multi-memory': {
    standing: 'never',
    why: 'the contract and the memory cap are about one memory',
    fix: 'build with one memory',
  },
  'wide-arithmetic': {
    standing: 'never',
    why: 'the engine does not run it',
    fix: 'build without wide arithmetic (clang: -mno-wide-arithmetic)',
  },
};

const named = Object.keys(FEATURES) as FeatureClass[];

/** What a policy allows that says nothing about it. */
export const DEFAULT_FEATURES: readonly FeatureClass[] = named.filter(
  name => FEATURES[name].standing === 'default',
);
/** What a policy or a grant may name. */
export const GRANTABLE_FEATURES: readonly FeatureClass[] = named.filter(name =>
  ['default', 'granted'].includes(FEATURES[name].standing),
);
