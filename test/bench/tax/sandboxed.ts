import { readFileSync } from 'node:fs';
import { Feed } from '../../../host/route/feed.js';
import { Route } from '../../../host/route/route.js';
import { Origins } from '../../../host/sinks/message-id.js';
import type { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import type { Ingress, Source } from '../../../host/sources/source.js';
import { createLog } from '../../../host/telemetry/log.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { defaultRules, LIMITS } from '../../../runtime/index.js';
import { SandboxPool } from '../../../sandbox/index.js';
import type { Counts, Path } from './path.js';

const MODULE = new URL('../../../plugins/modbus-json.wasm', import.meta.url);

/** The gateway's own way: feed, route, slot, sandbox, with its counters and tickets. */
export class Sandboxed implements Path {
  readonly #feed: Feed;
  readonly #route: Route;
  readonly #pool: SandboxPool;
  readonly #reporter: Reporter;
  readonly #metrics: Metrics;

  private constructor(name: string, sink: MqttSink) {
    this.#metrics = new Metrics();
    this.#reporter = new Reporter(createLog({ environment: { SLUICE_LOG: 'silent' } }));
    this.#pool = new SandboxPool({ threads: 1, spares: 0 });
    const routeSink = { name: 'plant', sink, metrics: this.#metrics.sink('plant') };
    this.#route = new Route(
      'bench',
      this.#pool,
      [routeSink],
      new Origins('bench', '1'),
      this.#metrics,
      this.#reporter,
      async () => {},
    );
    this.#feed = new Feed(name, this.#metrics.source(name), this.#reporter);
    this.#feed.connect(this.#route);
    sink.onRoom = () => this.#route.pump();
  }

  static async start(name: string, sink: MqttSink): Promise<Sandboxed> {
    const path = new Sandboxed(name, sink);
    const stage = {
      plugin: 'modbus-json',
      version: '0.0.0',
      kind: 'converter',
      config: '{}',
      rules: defaultRules('modbus-json', 16 << 20),
      deadlineMs: 100,
      code: { format: 'core', bytes: readFileSync(MODULE) },
    } as const;
    await path.#route.swap({ stages: [stage], startDeadlineMs: 2000, output: LIMITS.output });
    return path;
  }

  get ingress(): Ingress {
    return this.#feed;
  }

  connect(source: Source): void {
    this.#feed.source = source;
  }

  /** From the gateway's own counters. */
  async counts(): Promise<Counts> {
    const text = await this.#metrics.render();
    const sum = (names: string): number =>
      [...text.matchAll(new RegExp(`^sluice_(?:${names})\\{.*\\} (\\d+)$`, 'gm'))].reduce(
        (total, [, value]) => total + Number(value),
        0,
      );
    const missed = sum(
      'polls_skipped_total|source_failures_total|frames_refused_total|messages_dropped_total|sink_failures_total',
    );
    return { frames: sum('frames_total'), missed };
  }

  async drain(): Promise<void> {
    await this.#route.slot.stop(AbortSignal.timeout(2000));
    this.#route.pump();
  }

  async close(): Promise<void> {
    await this.#pool.close();
    this.#reporter.flush();
  }
}
