/** What a plugin asks for beside memory and time: the fields `simd`, `features` and `imports` of a manifest. */

import { FEATURES } from './admission/feature-policy.js';
import type { FeatureClass } from './admission/scan/facts.js';
import { isSimd, SIMD_WORDS, type SimdRule } from './admission/simd-policy.js';
import { SluiceError } from './errors.js';

export interface ManifestAsks {
  /** Vector instructions that it may use at most. */
  readonly simd?: SimdRule;
  /** Classes of features that it needs beside those that every plugin has. */
  readonly features?: readonly FeatureClass[];
  /** Functions that it imports; the contract has one, `log`. */
  readonly imports?: readonly string[];
}

/** @throws SluiceError SLUICE_MANIFEST_INVALID */
export function checkAsks(fields: Readonly<Record<string, unknown>>): ManifestAsks {
  const { simd, features, imports } = fields;
  return {
    ...(simd === undefined ? {} : { simd: checkSimd(simd) }),
    ...(features === undefined ? {} : { features: checkFeatures(features) }),
    ...(imports === undefined ? {} : { imports: texts('imports', imports) }),
  };
}

/** The flag of a plugin.json says how C and C++ are built, and so what is asked for. */
function checkSimd(value: unknown): SimdRule {
  if (typeof value === 'boolean') return value ? 'baseline' : 'none';
  const word = SIMD_WORDS.find(each => each === value);
  if (word !== undefined) return word;
  if (typeof value === 'string')
    invalid('simd', `${show(value)} is not one of ${SIMD_WORDS.join(', ')}, nor a list of instructions`);
  const names = texts('simd', value);
  const unknown = names.find(name => !isSimd(name));
  if (unknown !== undefined) invalid('simd', `${show(unknown)} is no fixed-width vector instruction`);
  return names;
}

function checkFeatures(value: unknown): readonly FeatureClass[] {
  const names = texts('features', value);
  const unknown = names.find(name => !Object.hasOwn(FEATURES, name));
  if (unknown === undefined) return names as readonly FeatureClass[];
  return invalid('features', `${show(unknown)} is not one of ${Object.keys(FEATURES).join(', ')}`);
}

function texts(field: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value;
  return invalid(field, 'is not a list of texts');
}

/** A value for a message: quoted, and not longer than a line. */
function show(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
}

function invalid(field: string, why: string): never {
  throw new SluiceError('SLUICE_MANIFEST_INVALID', `manifest: ${field}: ${why}`);
}
