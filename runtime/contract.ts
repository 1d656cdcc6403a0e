/**
 * The contract's numbers: the Canonical-ABI layout of the records in plugin.wit. Defined here once;
 * cpp-kernels/include/sluice.h and plugins-wasm/sdk-as/ mirror it, and the conformance test compares all.
 *
 * Source: component-model, CanonicalABI.md, "alignment", "elem_size" and "flattening".
 */

/** Version of package `sluice:plugin`. */
export const CONTRACT_VERSION = '1.0.0';

/** record frame: source, topic, timestamp, payload, properties. */
export const FRAME = {
  size: 40,
  align: 8,
  source: 0,
  topic: 8,
  timestamp: 16,
  payload: 24,
  properties: 32,
} as const;

/** record message: topic, payload, timestamp, content-type, qos, retain, properties. */
export const MESSAGE = {
  size: 48,
  align: 8,
  topic: 0,
  payload: 8,
  timestamp: 16,
  contentType: 24,
  qos: 32,
  retain: 33,
  properties: 36,
} as const;

/** tuple<string, string>. */
export const PROPERTY = { size: 16, align: 4, key: 0, value: 8 } as const;

/** result<list<message>, fault>: discriminant, then the list or the variant. */
export const RESULT = { size: 16, align: 4, tag: 0, list: 4, fault: 4, text: 8 } as const;

/** record block: source, topic, timestamp, rate, channels, data (variant). */
export const BLOCK = {
  size: 48,
  align: 8,
  source: 0,
  topic: 8,
  timestamp: 16,
  rate: 24,
  channels: 32,
  format: 36,
  data: 40,
} as const;

/** result<block, errno>: discriminant, then the block or the errno. */
export const BLOCK_RESULT = { size: 56, align: 8, tag: 0, block: 8, errno: 8 } as const;

/** Cases of variant `fault`, in the order of plugin.wit. */
export const FAULT_CODES = [
  'SLUICE_CONVERT_MALFORMED',
  'SLUICE_CONVERT_UNSUPPORTED',
  'SLUICE_CONVERT_RANGE',
  'SLUICE_CONVERT_DEVICE',
  'SLUICE_GUEST_CONFIG',
  'SLUICE_CONVERT_INTERNAL',
] as const;

/** Cases of enum `errno`. */
export const ERRNOS = ['EINVAL', 'ENOSPC', 'EDOM', 'ERANGE', 'ENOMEM', 'ENOSYS'] as const;

/** Cases of enum `level`. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** The core-level signatures of the worlds (Canonical ABI flattening), `params:results`. */
export const WORLDS = {
  converter: { configure: 'i32,i32:i32', convert: 'i32,i32:i32', flush: 'i64:i32' },
  kernel: {
    configure: 'i32,i32:i32',
    process: 'i32,i32,i32,i32,i64,f64,i32,i32,i32,i32:i32',
    flush: 'i64:i32',
  },
} as const;

/** What the stateful worlds add: both or none. */
export const STATE_EXPORTS = { 'export-state': ':i32', 'import-state': 'i32,i32,i32:i32' } as const;

/** tuple<u32, list<u8>>, as export-state returns it: version of the form, then the bytes. */
export const STATE = { size: 12, align: 4, version: 0, bytes: 4 } as const;

/** Exports of every core module beside those of its world. */
export const ARENA_EXPORTS = { sluice_arena: 'i32:i32', sluice_arena_end: ':i32' } as const;

/** The one import, under the name that the Canonical ABI gives a function at the root of a world. */
export const LOG_IMPORT = { module: '$root', name: 'log', type: 'i32,i32,i32:' } as const;

/** The custom section that holds the manifest; the last section of the file. */
export const MANIFEST_SECTION = 'sluice:manifest';
