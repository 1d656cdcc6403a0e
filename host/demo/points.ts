/** One value of a message of `modbus-json`. */
export interface Point {
  readonly name: string;
  readonly value: unknown;
  readonly unit?: string;
}

export function isPoint(value: unknown): value is Point {
  return typeof value === 'object' && value !== null && typeof (value as Point).name === 'string';
}

/** Points for people: `name value unit`. */
export function inWords(points: readonly Point[]): string {
  return points
    .map(({ name, value, unit }) => [name, show(value), ...(unit === undefined ? [] : [unit])].join(' '))
    .join('  ');
}

/** Numbers keep their places, so that what stands behind them does not jump. */
function show(value: unknown): string {
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1);
}
