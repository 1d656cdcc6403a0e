import { Registry } from 'prom-client';
import type { ErrorCode } from '../../runtime/index.js';
import type { Cell, HistogramCell } from './cells.js';
import { families } from './families.js';
import { PluginMetrics } from './plugin-metrics.js';
import { addProcessMetrics } from './process-metrics.js';
import { QuarantineMetrics } from './quarantine-metrics.js';
import { SinkMetrics } from './sink-metrics.js';
import { SourceMetrics } from './source-metrics.js';
import { ParkedMetrics, parkedFamilies, SpoolMetrics, spoolFamilies } from './spool-metrics.js';

/** One number of a metric. */
export interface MetricNumber {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of histograms. */
  readonly metricName?: string;
}

/** All numbers of one gateway. Labels carry configured names only, never an address. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #families = families(this.#registry);
  readonly #spools = spoolFamilies(this.#registry);
  readonly #parked = parkedFamilies(this.#registry);
  readonly #sandboxes = this.#families.sandboxes({});

  constructor() {
    addProcessMetrics(this.#registry);
  }

  source(name: string): SourceMetrics {
    return new SourceMetrics(this.#families, name);
  }

  sink(name: string): SinkMetrics {
    return new SinkMetrics(this.#families, name);
  }

  /** The spool of a sink. */
  spool(sink: string): SpoolMetrics {
    return new SpoolMetrics(this.#spools(sink));
  }

  /** Frames of a route that wait in the spool. */
  parked(route: string): ParkedMetrics {
    return new ParkedMetrics(this.#parked(route));
  }

  plugin(name: string): PluginMetrics {
    return new PluginMetrics(this.#families, name);
  }

  /** Keep the cell: `observe(seconds)` on it costs a few comparisons. */
  stage(name: string): HistogramCell {
    return this.#families.stages({ stage: name });
  }

  /** Keep the cell: `set(count)` on it is a store. */
  slabsInUse(route: string): Cell {
    return this.#families.slabs({ route });
  }

  /** Keep the cell: `set(frames)` on it is a store. */
  batchLimit(route: string): Cell {
    return this.#families.batchLimit({ route });
  }

  /** Keep the cell: `set(bytes)` on it is a store. */
  guestMemory(route: string): Cell {
    return this.#families.memory({ route });
  }

  /** Frames of a route that gave no message; keep the cell. */
  silent(route: string): Cell {
    return this.#families.silent({ route });
  }

  leaked(kind: string): void {
    this.#families.leaks({ kind }).add(1);
  }

  /** @param state 0 closed, 1 half-open, 2 open */
  breakerState(plugin: string, route: string, state: number): void {
    this.#families.breakers({ plugin, route }).set(state);
  }

  breakerOpened(plugin: string, route: string): void {
    this.#families.openings({ plugin, route }).add(1);
  }

  /** A version failed soon after it took over. */
  rolledBack(plugin: string, version: string, code: ErrorCode): void {
    this.#families.rollbacks({ plugin, version, code }).add(1);
  }

  batchSlow(plugin: string): void {
    this.#families.slowBatches({ plugin }).add(1);
  }

  /** A file of the plugin folder, or the folder itself, could not be used. */
  fileRefused(code: ErrorCode): void {
    this.#families.filesRefused({ code }).add(1);
  }

  sandboxes(count: number): void {
    this.#sandboxes.set(count);
  }

  /** Frames that plugins failed on. */
  quarantine(): QuarantineMetrics {
    return new QuarantineMetrics(this.#families);
  }

  /** An HTTP message about plugins has a header that the policy does not allow. */
  httpRefused(direction: 'request' | 'response', code: ErrorCode): void {
    this.#families.httpRefused({ direction, code }).add(1);
  }

  /** @param reason one of `BrokerRefusal` */
  brokerRefused(reason: string): void {
    this.#families.brokerRefused({ reason }).add(1);
  }

  adminConnectionRefused(): void {
    this.#families.adminRefused({}).add(1);
  }

  policy(version: number): void {
    this.#families.policy({}).set(version);
  }

  /** A client of /v1/events was too slow. */
  eventClientDropped(): void {
    this.#families.eventsDropped({}).add(1);
  }

  /** The numbers of one metric as they are now; those of a histogram as `_sum` and so on. */
  async values(name: string): Promise<readonly MetricNumber[]> {
    const found = await this.#registry.getSingleMetric(name)?.get();
    return (found?.values ?? []) as MetricNumber[];
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The Prometheus text format, version 0.0.4. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }
}
