/**
 * Precedence of two semantic versions: below 0 if `a` is lower. Source: Semantic Versioning 2.0.0, clause 11; what
 * stands behind a + does not count (clause 10).
 */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = split(a);
  const [coreB, preB] = split(b);
  const core = compareLists(coreA, coreB);
  if (core !== 0) return core;
  // A version without a pre-release is higher than one with.
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length;
  return compareLists(preA, preB);
}

function split(version: string): [string[], string[]] {
  const [rest = ''] = version.split('+');
  const dash = rest.indexOf('-');
  return dash < 0 ? [rest.split('.'), []] : [rest.slice(0, dash).split('.'), rest.slice(dash + 1).split('.')];
}

/** Clause 11.4: numbers by value and below words, words by their characters, the longer list higher. */
function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = comparePart(a[i] as string, b[i] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function comparePart(a: string, b: string): number {
  const [numberA, numberB] = [isNumber(a), isNumber(b)];
  if (numberA !== numberB) return numberA ? -1 : 1;
  // A pre-release may hold a number of any length: longer is larger, as none begins with 0.
  if (numberA && a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part);
}
