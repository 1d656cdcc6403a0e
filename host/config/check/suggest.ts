/** The smallest number of insertions, deletions, changes and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(last[column]! + 1, line[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, before[column - 2]! + 1);
      }
      line.push(best);
    }
    before = last;
    last = line;
  }
  return last[b.length]!;
}

/** Names are compared as people mistype them: capitals, underscores and dashes do not count. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** What the user most likely meant by `word`, or undefined if nothing is near enough to be worth a guess. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  // A very long word is no typo, and the distance costs the product of both lengths.
  if (word.length > 80) return undefined;
  const plain = plainName(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate === word || candidate.length > 80) continue;
    const other = plainName(candidate);
    const distance = editDistance(plain, other);
    const near = Math.max(1, Math.floor(Math.max(plain.length, other.length) / 3));
    // Short words are all near each other: one letter in common is not enough.
    if (distance > near || distance >= Math.min(plain.length, other.length)) continue;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
