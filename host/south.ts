import type { IncomingMessage, ServerResponse } from 'node:http';
import { faultOf } from '../runtime/index.js';
import type { Config, SourceConfig } from './config/config.js';
import type { PolicyKeeper } from './policy/policy-keeper.js';
import { AgeWatch } from './route/age/age-watch.js';
import type { Freshness } from './route/age/freshness.js';
import { Feed } from './route/feed.js';
import { HttpSource } from './sources/http/http-source.js';
import { makeSource } from './sources/make-source.js';
import type { Source } from './sources/source.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Reporter } from './telemetry/reporter.js';

export interface SouthParts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly report: Reporter;
  readonly policy: PolicyKeeper;
  /** The configuration of a source that may read the embedded broker, with what it has to know of that. */
  readonly asReader: (name: string, source: SourceConfig) => Promise<SourceConfig>;
}

interface RunningSource {
  readonly feed: Feed;
  readonly source: Source;
  readonly kind: string;
  freshness: Freshness;
  started: boolean;
}

/** Where the frames of a gateway come from: its sources, their ways into the routes, and the watch over the age of their data. */
export class South {
  readonly #parts: SouthParts;
  readonly #sources = new Map<string, RunningSource>();
  readonly #ages: AgeWatch;
  #isStopped = false;

  constructor(parts: SouthParts) {
    const { config, metrics, report } = parts;
    this.#parts = parts;
    this.#ages = new AgeWatch({ rules: config.stale, metrics, report });
  }

  /** By name. */
  get sources(): ReadonlyMap<string, Readonly<RunningSource>> {
    return this.#sources;
  }

  /** Makes them all; none runs. @throws SluiceError SLUICE_CONFIG_INVALID, SLUICE_TLS_CERTIFICATE */
  async make(): Promise<void> {
    const { config, metrics, report, policy, asReader } = this.#parts;
    for (const [name, each] of config.sources) {
      const feed = new Feed(name, metrics.source(name), report);
      const made = makeSource(name, await asReader(name, each), feed, policy);
      feed.source = made.source;
      const freshness = this.#ages.of(name, feed, made.source);
      this.#sources.set(name, { feed, ...made, freshness, started: false });
    }
  }

  /** Starts those that have a route and do not run yet. @throws SluiceError of the first that cannot start */
  async start(): Promise<void> {
    for (const [name, running] of this.#sources) {
      if (running.started || running.feed.routes === 0 || this.#isStopped) continue;
      running.started = true;
      try {
        running.freshness = this.#ages.started(name, running.feed, running.source);
        await running.source.start();
      } catch (thrown) {
        this.#ages.forget(running.freshness);
        // Tried again when the next plugin comes.
        running.started = false;
        throw thrown;
      }
    }
  }

  /** Says which have no route, and so do not run. */
  sayUnused(): void {
    for (const [name, { feed }] of this.#sources) {
      if (feed.routes > 0) continue;
      const message = `${name} is not started: no route reads it`;
      this.#parts.report.fault({ code: 'SLUICE_SOURCE_UNUSED', message }, { source: name });
    }
  }

  /** A plugin that came later has brought a route: what its sources cannot do is said, and ends nothing. */
  async startLater(): Promise<void> {
    try {
      await this.start();
    } catch (thrown) {
      this.#parts.report.fault(faultOf(thrown), {}, 'error');
    }
  }

  /** A request to a source that has no port of its own; false: there is none of this name. */
  ingest(name: string, request: IncomingMessage, response: ServerResponse): boolean {
    const source = this.#sources.get(name)?.source;
    if (!(source instanceof HttpSource) || !source.isShared) return false;
    source.handle(request, response);
    return true;
  }

  /** Nothing more is taken. What is under way may still be acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#ages.stop();
    const running = [...this.#sources.values()];
    for (const { feed } of running) feed.stopping();
    await Promise.all(running.map(({ source }) => source.stop()));
  }

  /** Nothing is confirmed any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map(({ source }) => source.close?.()));
  }

  /** Says how many frames a stop has left behind. */
  sayUndelivered(): void {
    for (const { feed } of this.#sources.values()) feed.sayUndelivered();
  }
}
