/** Text forms of the configuration. Each parser gives undefined for what it cannot read. */

/** `100ms`, `2s`, `1.5m`, `1h`. */
export const DURATION_PATTERN = '^[0-9]{1,12}(\\.[0-9]{1,6})? ?(ms|s|m|h)$';
/** `512B`, `64KiB`, `16MiB`, `1GiB`, and the decimal kB, MB, GB. */
export const SIZE_PATTERN = '^[0-9]{1,12}(\\.[0-9]{1,6})? ?(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$';
/** `0-11`, or one number; read by sources/modbus/range.ts. */
export const RANGE_PATTERN = '^[0-9]{1,5}( ?- ?[0-9]{1,5})?$';
/** `1-4`, `1,3,5-7`, or one number. */
export const UNITS_PATTERN = '^[0-9]{1,3}( ?- ?[0-9]{1,3})?( ?, ?[0-9]{1,3}( ?- ?[0-9]{1,3})?)*$';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const;

const DURATION = new RegExp(DURATION_PATTERN);
const SIZE = new RegExp(SIZE_PATTERN);

/** Milliseconds, fractions allowed. */
export function parseDuration(text: string): number | undefined {
  const unit = DURATION.exec(text)?.[2];
  return unit === undefined
    ? undefined
    : Number.parseFloat(text) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

/** Bytes, whole. */
export function parseSize(text: string): number | undefined {
  const unit = SIZE.exec(text)?.[2];
  if (unit === undefined) return undefined;
  const bytes = Math.round(Number.parseFloat(text) * BYTES[unit as keyof typeof BYTES]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
