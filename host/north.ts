import { type Fault, SluiceError } from '../runtime/index.js';
import { type Broker, startBroker } from './broker/broker.js';
import { leadsHere } from './broker/this-machine.js';
import type { Config, SinkConfig, SourceConfig } from './config/config.js';
import type { RouteSink } from './route/route-parts.js';
import type { MqttSinkConfig } from './sinks/mqtt/config.js';
import { MqttSink } from './sinks/mqtt/mqtt-sink.js';
import type { Sink } from './sinks/sink.js';
import { DEFAULT_ROUTE_SPOOL } from './spool/route-spool.js';
import type { Spool } from './spool/spool.js';
import { SpooledSink } from './spool/spooled-sink.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Reporter } from './telemetry/reporter.js';
import type { SinkMetrics } from './telemetry/sink-metrics.js';

/** Name of the sink that stands for the embedded broker. */
const EMBEDDED = 'embedded';

export interface NorthParts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly report: Reporter;
  /** Where messages wait for a sink that is away; undefined: nowhere. */
  readonly spool: () => Spool | undefined;
  /** A sink has room again. */
  readonly room: () => void;
}

/** Where the messages of a gateway go: its sinks, and the embedded broker where there is one. */
export class North {
  readonly #parts: NorthParts;
  readonly #sinks = new Map<string, RouteSink>();
  #broker: Broker | undefined;

  constructor(parts: NorthParts) {
    this.#parts = parts;
  }

  /** By name. */
  get sinks(): ReadonlyMap<string, RouteSink> {
    return this.#sinks;
  }

  /** The embedded one, if it runs. */
  get broker(): Pick<Broker, 'port' | 'address'> | undefined {
    return this.#broker;
  }

  /** @throws SluiceError SLUICE_LISTEN_IN_USE and others of the broker's start */
  async start(): Promise<void> {
    const { config, metrics, report, spool, room } = this.#parts;
    const configs = new Map(config.sinks);
    // In this process: it is never away.
    if (config.bringsBroker) {
      const mqtt = await this.#startBroker(configs.size === 0);
      if (configs.size === 0) configs.set(EMBEDDED, { mqtt, spool: undefined });
    }
    for (const [name, each] of configs) {
      const messages = metrics.sink(name);
      const sink = await this.#makeSink(name, each, messages);
      sink.onRoom = room;
      this.#sinks.set(name, { name, sink, metrics: messages });
      await sink.start();
    }
    for (const [name, count] of spool()?.unclaimed() ?? []) {
      const message = `${count} messages wait in the spool for the sink ${name}, which is not configured or has no spool`;
      report.fault({ code: 'SLUICE_SPOOL_UNCLAIMED', message }, { sink: name });
    }
  }

  /**
   * A source that reads the embedded broker has a session there, whatever its configuration says of it: what devices
   * publish is acknowledged by its word.
   */
  async asReader(name: string, source: SourceConfig): Promise<SourceConfig> {
    const { mqtt } = source;
    if (mqtt === undefined || this.#broker === undefined) return source;
    if (!(await this.#isOurs(mqtt.url))) return source;
    const clientId = mqtt.clientId ?? `sluice-${name}`;
    this.#broker.held.source(clientId);
    return { ...source, mqtt: { ...mqtt, clientId, marksPeers: true, ends: this.#broker.ends } };
  }

  /** Waits for the confirmations of the sinks until the signal aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#sinks.values()].map(({ sink }) => sink.stop(signal)));
  }

  /** Nobody has anything to say to the broker any more. */
  async close(): Promise<void> {
    await this.#broker?.stop();
  }

  /** Whether an address leads to the embedded broker. */
  async #isOurs(url: string): Promise<boolean> {
    const broker = this.#broker;
    return broker !== undefined && (url === broker.url || (await leadsHere(url, broker.port)));
  }

  async #makeSink(name: string, { mqtt, spool: wanted }: SinkConfig, messages: SinkMetrics): Promise<Sink> {
    const { config, metrics, report } = this.#parts;
    const failed = (fault: Fault): void => {
      messages.failed(fault.code);
      report.fault(fault, { sink: name });
    };
    const sink = new MqttSink(
      name,
      { ...mqtt, ends: this.#broker?.ends },
      {
        failed,
        connected: () => report.connected({ sink: name }, `${name}: connected to ${peerOf(mqtt.url)}`),
        retried: count => messages.retried(count),
      },
    );
    this.#broker?.held.sink(sink.clientId, await this.#isOurs(mqtt.url));
    const spool = this.#parts.spool();
    if (wanted === undefined || spool === undefined) return sink;
    const routes = new Map(config.routes.map(route => [route.name, route.spool]));
    return new SpooledSink(sink, {
      name,
      rate: wanted.rate,
      routeOf: route => routes.get(route) ?? DEFAULT_ROUTE_SPOOL,
      spool,
      messages,
      metrics: metrics.spool(name),
      report: failed,
    });
  }

  /** @param alone no sink is configured, so nobody asked for it */
  async #startBroker(alone: boolean): Promise<MqttSinkConfig> {
    const { config, metrics, report } = this.#parts;
    const { host, port } = config.broker;
    const where = { broker: `${host}:${port}` };
    try {
      this.#broker = await startBroker(config.broker, {
        refused: (reason, text, peer) => {
          metrics.brokerRefused(reason);
          report.fault({ code: 'SLUICE_BROKER_REFUSED', message: `broker: ${text}` }, { ...where, peer });
        },
        renewed: () => report.info('the embedded broker has a new certificate', where),
        failed: fault => report.fault(fault, where),
      });
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_LISTEN_IN_USE' || !alone) throw thrown;
      throw new SluiceError(
        thrown.code,
        `no sinks are configured, so the embedded MQTT broker has to listen on ${host}:${port}, and that port is in use: if a broker runs there, name it: sinks: { plant: { mqtt: { url: "mqtt://127.0.0.1:${port}" } } }; else choose another port: broker: { port: ${port + 1} }`,
        { cause: thrown },
      );
    }
    return { url: this.#broker.url, version: 4, ...this.#broker.own };
  }
}

/** A broker's address without the credentials that may stand in its URL. */
function peerOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
