/** A ratio has to be at least, or at most, this. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** What a benchmark hands back; printed as one JSON object with `bench` and `pass`. */
export interface BenchResult {
  readonly ratios: Readonly<Record<string, number>>;
  /** By the name of the ratio. */
  readonly targets: Readonly<Record<string, Target>>;
  readonly figures: Readonly<Record<string, unknown>>;
  /** For people: a heading and rows. */
  readonly tables: readonly Table[];
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** True if every target has its ratio and the ratio meets it. */
export function meetsAll({ ratios, targets }: Pick<BenchResult, 'ratios' | 'targets'>): boolean {
  return Object.entries(targets).every(([name, target]) => {
    const ratio = ratios[name];
    if (ratio === undefined) return false;
    return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
  });
}

/** The ratios as a table with their targets. */
export function ratioTable({ ratios, targets }: Pick<BenchResult, 'ratios' | 'targets'>): Table {
  const rows = Object.entries(ratios).map(([name, ratio]) => {
    const target = targets[name];
    if (target === undefined) return [name, String(ratio), '', ''];
    const [word, value] = 'atLeast' in target ? ['>=', target.atLeast] : ['<=', target.atMost];
    const met = meetsAll({ ratios: { [name]: ratio }, targets: { [name]: target } });
    return [name, String(ratio), `${word} ${value}`, met ? 'ok' : 'MISSED'];
  });
  return { head: ['ratio', 'is', 'target', ''], rows };
}

export function formatTable({ head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)));
  return all
    .map(row =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Where a benchmark is; standard error, so that standard output ends with the result. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
