import { resolve } from 'node:path';
import { LIMITS } from '../../../runtime/index.js';
import { isLoopback } from '../../admin/server/loopback.js';
import { filterDefect } from '../../protocols/mqtt-wire/topic-filter.js';
import type {
  AdminConfig,
  Config,
  PluginsConfig,
  RouteConfig,
  SinkConfig,
  SinkSpoolConfig,
  SourceConfig,
  StepConfig,
} from '../config.js';
import type { Origins } from '../origins.js';
import type { Path } from '../problem.js';
import { Reader } from '../reader.js';
import type { ConfigInput } from '../schema/schema.js';
import type { SinkSpoolInput } from '../schema/spool.js';
import { normaliseBreaker, normaliseProbation, whenOpenOf } from './breaker.js';
import { normaliseBroker } from './broker.js';
import { normaliseCoap } from './coap.js';
import { normaliseHttp } from './http.js';
import { normaliseModbus } from './modbus.js';
import { normaliseMqttSink, normaliseMqttSource } from './mqtt.js';
import { MEMORY, policyOf } from './policy.js';
import { serverTls } from './serve.js';
import { normaliseStale } from './stale.js';
import { normaliseTunnel } from './tunnel.js';

const MIB = 2 ** 20;

/**
 * The one place where defaults are filled in. `input` is of the schema; what the schema cannot say (ranges of
 * durations, ends of ranges) is checked here and added to `origins`. Paths are relative to `folder`.
 */
export function normalise(input: ConfigInput, folder: string, origins: Origins): Config {
  const read = new Reader(origins, folder);
  const plugins = normalisePlugins(input.plugins ?? {}, read);
  const sources = normaliseSources(input.sources, read);
  const sinks = normaliseSinks(input.sinks ?? {}, read);
  return {
    plugins,
    sources,
    stale: normaliseStale(input.sources, sources, read),
    sinks,
    broker: normaliseBroker(input.broker ?? {}, read),
    bringsBroker: input.broker !== undefined || sinks.size === 0,
    routes: normaliseRoutes(input.routes ?? [], plugins, [...sinks.keys()], read),
    data: {
      dir: resolve(folder, input.data?.dir ?? './data'),
      maxBytes: read.size(input.data?.max, ['data', 'max'], { least: MIB }) ?? 2 ** 30,
    },
    admin: normaliseAdmin(input.admin ?? {}, read),
  };
}

function normaliseAdmin(input: NonNullable<ConfigInput['admin']>, read: Reader): AdminConfig {
  const { host = '127.0.0.1', port = 8080, token, tls, uploads = false, maxUpload } = input;
  const most = LIMITS.file;
  if (token === undefined && !isLoopback(host)) {
    const what = `is ${host}, which is no loopback address: whoever reaches it needs a token of yours, and \`admin.token\` is not set`;
    read.error(['admin', 'host'], what, { code: 'SLUICE_ADMIN_EXPOSED' });
  }
  return {
    host,
    port,
    uploads,
    maxUploadBytes: read.size(maxUpload, ['admin', 'maxUpload'], { most }) ?? most,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: serverTls(tls, read) }),
  };
}

function normalisePlugins(input: NonNullable<ConfigInput['plugins']>, read: Reader): PluginsConfig {
  const at = (key: string): Path => ['plugins', key];
  return {
    dir: read.file(input.dir ?? './plugins'),
    deadlineMs: read.duration(input.deadline, at('deadline'), { least: 1 }) ?? 100,
    startDeadlineMs: read.duration(input.startDeadline, at('startDeadline'), { least: 1 }) ?? 2000,
    memoryBytes: read.size(input.memory, at('memory'), MEMORY) ?? 16 * MIB,
    policy: policyOf(input, read),
    signatures: input.signatures ?? 'auto',
    keys: read.file(input.keys ?? './keys'),
    downgrade: input.downgrade ?? false,
    sandboxes: input.sandboxes ?? 16,
    snapshotEvery: input.snapshotEvery ?? 100,
    breaker: normaliseBreaker(input.breaker ?? {}, at('breaker'), read),
    probation: normaliseProbation(input.probation ?? {}, at('probation'), read),
  };
}

function normaliseSources(input: ConfigInput['sources'], read: Reader): Map<string, SourceConfig> {
  const sources = new Map<string, SourceConfig>();
  for (const [name, { modbus, mqtt, tunnel, http, coap }] of Object.entries(input)) {
    const at = (protocol: string): Path => ['sources', name, protocol];
    const given = [modbus, mqtt, tunnel, http, coap].filter(protocol => protocol !== undefined).length;
    if (given === 0) read.error(['sources', name], 'names no protocol');
    if (given > 1)
      read.error(['sources', name], 'names more than one protocol; give each its own name', { at: 'key' });
    if (modbus !== undefined) sources.set(name, normaliseModbus(modbus, at('modbus'), read));
    else if (mqtt !== undefined) sources.set(name, { mqtt: normaliseMqttSource(mqtt, at('mqtt'), read) });
    else if (tunnel !== undefined) sources.set(name, { tunnel: normaliseTunnel(tunnel, at('tunnel'), read) });
    else if (http !== undefined) sources.set(name, { http: normaliseHttp(http, at('http'), read) });
    else if (coap !== undefined) sources.set(name, normaliseCoap(coap, at('coap'), read));
  }
  return sources;
}

function normaliseSinks(input: NonNullable<ConfigInput['sinks']>, read: Reader): Map<string, SinkConfig> {
  const sinks = new Map<string, SinkConfig>();
  for (const [name, { mqtt, spool }] of Object.entries(input)) {
    if (mqtt === undefined) {
      read.error(['sinks', name], 'names no protocol');
      continue;
    }
    const filled = normaliseMqttSink(mqtt, ['sinks', name, 'mqtt'], read);
    sinks.set(name, { mqtt: filled, spool: normaliseSpool(spool, filled.qos === 1) });
  }
  return sinks;
}

/** @param acknowledged the sink confirms what it takes: then nothing that a device was told is safe may be lost */
function normaliseSpool(
  input: SinkSpoolInput | undefined,
  acknowledged: boolean,
): SinkSpoolConfig | undefined {
  if (!(input ?? acknowledged)) return undefined;
  return { rate: (typeof input === 'object' ? input.rate : undefined) ?? Number.POSITIVE_INFINITY };
}

function normaliseRoutes(
  input: NonNullable<ConfigInput['routes']>,
  { breaker }: PluginsConfig,
  sinks: readonly string[],
  read: Reader,
): RouteConfig[] {
  const taken = new Set(input.flatMap(route => route.name ?? []));
  return input.map((route, index) => {
    const from = list(route.from);
    return {
      name: route.name ?? freeName(from.join('+'), taken),
      from,
      ...(route.filter === undefined ? {} : { filter: normaliseFilter(route.filter, index, read) }),
      through: route.through.map((step, place) =>
        normaliseStep(step, ['routes', index, 'through', place], read),
      ),
      to: route.to === undefined ? sinks : list(route.to),
      whenOpen: whenOpenOf(route.whenOpen) ?? breaker.whenOpen,
      spool: { catchUp: route.catchUp ?? 'ordered', whenFull: route.whenFull ?? 'keep-all' },
    };
  });
}

function normaliseFilter(input: string | readonly string[], route: number, read: Reader): readonly string[] {
  const filters = list(input);
  for (const [index, filter] of filters.entries()) {
    const path = ['routes', route, 'filter', ...(typeof input === 'string' ? [] : [index])];
    const shared = filter.startsWith('$share/') ? 'is shared; here it stands for topics alone' : undefined;
    const defect = shared ?? filterDefect(filter);
    if (defect !== undefined) read.error(path, defect);
  }
  return filters;
}

type StepInput = NonNullable<ConfigInput['routes']>[number]['through'][number];

function normaliseStep(step: StepInput, path: Path, read: Reader): StepConfig {
  if (typeof step === 'string') return { plugin: step, config: '{}' };
  const deadlineMs = read.duration(step.deadline, [...path, 'deadline'], { least: 1 });
  return {
    plugin: step.plugin,
    config: JSON.stringify(step.config ?? {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** Route names stand in metric labels: two routes of the same sources must not share one. */
function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  taken.add(name);
  return name;
}
