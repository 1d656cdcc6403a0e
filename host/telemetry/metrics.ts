import { Registry } from 'prom-client';
import type { ErrorCode } from '../../runtime/index.js';
import { type Cell, cellFamily, type HistogramCell, histogramFamily } from './cells.js';
import { addProcessMetrics } from './process-metrics.js';
import { ParkedMetrics, parkedFamilies, SpoolMetrics, spoolFamilies } from './spool-metrics.js';

/** Frames of one batch: powers of two, as batches are adaptive. */
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
/** Seconds, 10 microseconds to 10 seconds. */
const STAGE_BOUNDS = [
  1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10,
];

/** Every counter of the gateway, in a registry of its own. */
type Families = ReturnType<typeof families>;

function families(registry: Registry) {
  const family = <L extends string>(name: string, help: string, ...labels: L[]) =>
    cellFamily({ name: `sluice_${name}`, help, labels, registry });
  const histogram = <L extends string>(
    name: string,
    help: string,
    bounds: readonly number[],
    ...labels: L[]
  ) => histogramFamily({ name: `sluice_${name}`, help, bounds, labels, registry });
  return {
    frames: family('frames_total', 'Frames taken from a source.', 'source'),
    delivered: family('delivered_total', 'Frames that every sink has confirmed or spooled.', 'source'),
    refused: family('frames_refused_total', 'Frames that gave an error.', 'source', 'plugin', 'code'),
    skipped: family(
      'polls_skipped_total',
      'Polls that were left out; of sources that listen: frames or requests that were not taken, or had to wait.',
      'source',
      'code',
    ),
    sourceAge: family(
      'source_age_seconds',
      'Since a source brought data last, or since its start.',
      'source',
    ),
    staleDevices: family(
      'source_devices_stale',
      'Devices of a source that is asked that have brought no data for longer than staleAfter.',
      'source',
    ),
    sourceFailures: family('source_failures_total', 'Failures at a source.', 'source', 'code'),
    messages: family('messages_total', 'Messages that a sink has confirmed.', 'sink'),
    dropped: family('messages_dropped_total', 'Messages given up for good.', 'sink', 'code'),
    retried: family('messages_retried_total', 'Messages sent again after a lost connection.', 'sink'),
    sinkFailures: family('sink_failures_total', 'Failures at a sink.', 'sink', 'code'),
    faults: family('plugin_faults_total', 'Faults of a plugin.', 'plugin', 'version', 'code'),
    restarts: family('plugin_restarts_total', 'Fresh instances after a fault.', 'plugin', 'version', 'code'),
    retries: family(
      'frames_retried_total',
      'Frames of calls that failed, run again one by one.',
      'plugin',
      'code',
    ),
    silent: family('frames_silent_total', 'Frames that gave no message and no error.', 'route'),
    logLines: family('plugin_log_lines_total', 'Lines that a plugin has logged.', 'plugin'),
    logLost: family('plugin_log_lines_left_out_total', 'Lines beyond what a plugin may log.', 'plugin'),
    swaps: family('plugin_swaps_total', 'New generations that took over.', 'plugin'),
    states: family(
      'plugin_states_total',
      'Fresh instances of plugins that have a state, by what they go on from.',
      'plugin',
      'version',
      'from',
    ),
    slowBatches: family('batches_slow_total', 'Batches that took most of the time they may take.', 'plugin'),
    rollbacks: family(
      'plugin_rollbacks_total',
      'Versions taken back by themselves.',
      'plugin',
      'version',
      'code',
    ),
    breakers: family('breaker_state', '0: closed, 1: on trial, 2: open.', 'plugin', 'route'),
    openings: family('breaker_openings_total', 'Times that a circuit breaker opened.', 'plugin', 'route'),
    filesRefused: family('plugin_files_refused_total', 'Plugin files that could not be used.', 'code'),
    sandboxes: family('sandboxes', 'Sandbox threads that run.'),
    batchLimit: family(
      'batch_limit_frames',
      'Most frames of the next batch of a route: falls as its plugins take longer.',
      'route',
    ),
    memory: family('guest_memory_bytes', 'Linear memory of the plugins of a route.', 'route'),
    leaks: family('leaks_total', 'Things that were never closed, and were found by the second net.', 'kind'),
    slabs: family('slabs_in_use', 'Slabs of a route that hold frames or results.', 'route'),
    httpRefused: family(
      'http_refused_total',
      'HTTP messages about plugins that the policy did not let through.',
      'direction',
      'code',
    ),
    brokerRefused: family(
      'broker_refused_total',
      'Clients that the embedded broker turned away, cut off, (rate) read later, or (full) not told of a message.',
      'reason',
    ),
    policy: family('policy_version', 'Version of the policy that is in force.'),
    eventsDropped: family('event_clients_dropped_total', 'Event streams closed because nobody read them.'),
    quarantined: family(
      'frames_quarantined_total',
      'Frames that a plugin failed on twice, kept for replay.',
      'source',
      'plugin',
      'code',
    ),
    quarantine: family('quarantine_frames', 'Frames in quarantine.'),
    quarantineDropped: family(
      'quarantine_dropped_total',
      'Frames that left the quarantine for another reason than a replay.',
      'code',
    ),
    replayed: family(
      'quarantine_replayed_total',
      'Frames of the quarantine that were sent through their route again.',
      'outcome',
    ),
    batches: histogram('batch_frames', 'Frames of one batch.', BATCH_BOUNDS, 'plugin'),
    stages: histogram('stage_seconds', 'Time spent in a stage of the path.', STAGE_BOUNDS, 'stage'),
  };
}

/** Frames of one source. Get it once, at start; its methods are additions. */
export class SourceMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #frames: Cell;
  readonly #delivered: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#frames = all.frames({ source: name });
    this.#delivered = all.delivered({ source: name });
  }

  /** Keep the cell. */
  age(): Cell {
    return this.#families.sourceAge({ source: this.#name });
  }

  staleDevices(): Cell {
    return this.#families.staleDevices({ source: this.#name });
  }

  frames(count: number): void {
    this.#frames.add(count);
  }

  delivered(count: number): void {
    this.#delivered.add(count);
  }

  refused(plugin: string, code: ErrorCode, count = 1): void {
    this.#families.refused({ source: this.#name, plugin, code }).add(count);
  }

  skipped(code: ErrorCode, count = 1): void {
    this.#families.skipped({ source: this.#name, code }).add(count);
  }

  failed(code: ErrorCode, count = 1): void {
    this.#families.sourceFailures({ source: this.#name, code }).add(count);
  }
}

/** Messages of one sink. */
export class SinkMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #messages: Cell;
  readonly #retried: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#messages = all.messages({ sink: name });
    this.#retried = all.retried({ sink: name });
  }

  messages(count: number): void {
    this.#messages.add(count);
  }

  retried(count: number): void {
    this.#retried.add(count);
  }

  dropped(code: ErrorCode, count = 1): void {
    this.#families.dropped({ sink: this.#name, code }).add(count);
  }

  failed(code: ErrorCode, count = 1): void {
    this.#families.sinkFailures({ sink: this.#name, code }).add(count);
  }
}

/** One plugin, over all its generations. */
export class PluginMetrics {
  readonly #families: Families;
  readonly #name: string;
  readonly #batches: HistogramCell;
  readonly #swaps: Cell;

  constructor(all: Families, name: string) {
    this.#families = all;
    this.#name = name;
    this.#batches = all.batches({ plugin: name });
    this.#swaps = all.swaps({ plugin: name });
  }

  batch(frames: number): void {
    this.#batches.observe(frames);
  }

  swapped(): void {
    this.#swaps.add(1);
  }

  faulted(version: string, code: ErrorCode, count = 1): void {
    this.#families.faults({ plugin: this.#name, version, code }).add(count);
  }

  restored(version: string, from: 'generation-before' | 'snapshot' | 'disk' | 'nothing'): void {
    this.#families.states({ plugin: this.#name, version, from }).add(1);
  }

  /** Frames of a call that failed are run one by one. */
  retried(code: ErrorCode, frames: number): void {
    this.#families.retries({ plugin: this.#name, code }).add(frames);
  }

  logged(lines: number, lost: number): void {
    this.#families.logLines({ plugin: this.#name }).add(lines);
    this.#families.logLost({ plugin: this.#name }).add(lost);
  }

  restarted(version: string, code: ErrorCode): void {
    this.#families.restarts({ plugin: this.#name, version, code }).add(1);
  }
}

/** Frames that plugins failed on. */
export class QuarantineMetrics {
  readonly #families: Families;

  constructor(all: Families) {
    this.#families = all;
  }

  put(source: string, plugin: string, code: ErrorCode): void {
    this.#families.quarantined({ source, plugin, code }).add(1);
  }

  held(count: number): void {
    this.#families.quarantine({}).set(count);
  }

  dropped(count: number, code: ErrorCode): void {
    this.#families.quarantineDropped({ code }).add(count);
  }

  replayed(outcome: 'delivered' | 'refused'): void {
    this.#families.replayed({ outcome }).add(1);
  }
}

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
