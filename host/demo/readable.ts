interface Point {
  readonly name: string;
  readonly value: unknown;
  readonly unit?: string;
}

/** A message for people: the points as `name value unit`, anything else as it is. */
export function readable(payload: string): string {
  if (!payload.startsWith('{')) return payload;
  try {
    const { points } = JSON.parse(payload) as { points?: readonly Point[] };
    if (!Array.isArray(points) || points.length === 0) return payload;
    return (points as readonly Point[])
      .map(({ name, value, unit }) => [name, show(value), ...(unit === undefined ? [] : [unit])].join(' '))
      .join('  ');
  } catch {
    return payload;
  }
}

/** Numbers keep their places, so that what stands behind them does not jump. */
function show(value: unknown): string {
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1);
}
