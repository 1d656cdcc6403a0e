import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Numbers that cost an addition. prom-client hashes the labels at each call; here a label set is looked up once,
 * when its cell is made, and prom-client sees the numbers only when someone scrapes.
 */
export class Cell {
  value = 0;

  add(count: number): void {
    this.value += count;
  }

  set(value: number): void {
    this.value = value;
  }
}

type Labels<L extends string> = Readonly<Record<L, string>>;

class Family<L extends string, C> {
  readonly cells = new Map<string, { readonly labels: Labels<L>; readonly cell: C }>();
  readonly #names: readonly L[];
  readonly #make: () => C;

  constructor(names: readonly L[], make: () => C) {
    this.#names = names;
    this.#make = make;
  }

  cell(labels: Labels<L>): C {
    const id = this.#names.map(name => labels[name]).join('\n');
    let known = this.cells.get(id);
    if (known === undefined) {
      known = { labels, cell: this.#make() };
      this.cells.set(id, known);
    }
    return known.cell;
  }
}

export interface FamilyConfig<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
  readonly registry: Registry;
}

/** A counter or a gauge, by its name: counters end in `_total`. */
export function cellFamily<L extends string>(config: FamilyConfig<L>): (labels: Labels<L>) => Cell {
  const family = new Family(config.labels, () => new Cell());
  const common = {
    name: config.name,
    help: config.help,
    labelNames: config.labels,
    registers: [config.registry],
  };
  if (config.name.endsWith('_total')) {
    new Counter<L>({
      ...common,
      collect() {
        this.reset();
        for (const { labels, cell } of family.cells.values()) this.inc(labels, cell.value);
      },
    });
  } else {
    new Gauge<L>({
      ...common,
      collect() {
        for (const { labels, cell } of family.cells.values()) this.set(labels, cell.value);
      },
    });
  }
  return labels => family.cell(labels);
}

/** Counts by upper bound, and the sum. */
export class HistogramCell {
  readonly bounds: readonly number[];
  /** One more than bounds: the last is for what is above all of them. Not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > this.bounds[index]!) index++;
    this.counts[index]! += 1;
    this.sum += value;
  }
}

/** `bounds` ascending. */
export function histogramFamily<L extends string>(
  config: FamilyConfig<L> & { readonly bounds: readonly number[] },
): (labels: Labels<L>) => HistogramCell {
  const family = new Family(config.labels, () => new HistogramCell(config.bounds));
  new CellHistogram(config, family);
  return labels => family.cell(labels);
}

/** prom-client's histogram with the numbers of our cells. */
class CellHistogram<L extends string> extends Histogram<L> {
  readonly #config: FamilyConfig<L>;
  readonly #family: Family<L, HistogramCell>;

  constructor(config: FamilyConfig<L>, family: Family<L, HistogramCell>) {
    super({ name: config.name, help: config.help, labelNames: config.labels, registers: [config.registry] });
    this.#config = config;
    this.#family = family;
  }

  override async get(): ReturnType<Histogram<L>['get']> {
    const { name, help } = this.#config;
    const values = [...this.#family.cells.values()].flatMap(({ labels, cell }) =>
      exported(name, labels, cell),
    );
    // prom-client's types name an enum that its code does not export as a value; 'histogram' is what it holds.
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as Awaited<
      ReturnType<Histogram<L>['get']>
    >;
  }

  /** What the registry asks for when it writes the text format. */
  getForPromString(): ReturnType<Histogram<L>['get']> {
    return this.get();
  }
}

function exported<L extends string>(name: string, labels: Labels<L>, cell: HistogramCell): object[] {
  const values: object[] = [];
  let count = 0;
  for (const [index, bound] of [...cell.bounds, '+Inf'].entries()) {
    count += cell.counts[index]!;
    values.push({ metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: count });
  }
  values.push({ metricName: `${name}_sum`, labels, value: cell.sum });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}
