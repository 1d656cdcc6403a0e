import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Readiness } from '../../../host/admin/server/readiness.js';
import { readConfig } from '../../../host/config/load.js';
import { Gateway } from '../../../host/gateway.js';
import { createLog, type Log } from '../../../host/telemetry/log.js';
import { appendManifest, type ManifestFields, readManifest } from '../../../runtime/index.js';
import { PATIENCE_MS, Waiting } from '../devices/gateway-peers.js';

const dist = new URL('../../../', import.meta.url);

/** A built guest: modbus-json, or one of test/guests. */
export function guestFile(name: string): string {
  const folder = name === 'modbus-json' ? 'plugins/' : 'test/guests/';
  return fileURLToPath(new URL(`${folder}${name}.wasm`, dist));
}

/** A built guest under another name, version or `accepts`. */
export async function variant(
  guest: string,
  fields: Partial<Omit<ManifestFields, 'abi'>>,
): Promise<Uint8Array> {
  const bytes = await readFile(guestFile(guest));
  const found = readManifest(bytes);
  if (found === undefined) throw new Error(`${guest} carries no manifest`);
  const code = bytes.subarray(0, found.end);
  const { sha256, ...manifest } = found.manifest;
  return appendManifest(code, { ...manifest, ...fields }, createHash('sha256').update(code).digest('hex'));
}

/** The code of a guest without its manifest, and the manifest as a file of its own. */
export async function unpacked(guest: string): Promise<{ code: Uint8Array; json: string }> {
  const bytes = await readFile(guestFile(guest));
  const found = readManifest(bytes);
  if (found === undefined) throw new Error(`${guest} carries no manifest`);
  const { sha256: _, ...manifest } = found.manifest;
  return { code: bytes.subarray(0, found.end), json: JSON.stringify(manifest) };
}

export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

/** A log that a test can read and wait for. */
export class LogBook extends Waiting {
  readonly lines: LogLine[] = [];
  readonly log: Log = createLog({
    environment: { SLUICE_LOG: 'debug' },
    pretty: false,
    write: line => {
      this.lines.push(JSON.parse(line) as LogLine);
      this.changed();
    },
  });

  /** Lines with this code, and with these fields. */
  of(code: string, fields: Record<string, unknown> = {}): LogLine[] {
    return this.lines.filter(
      line => line.code === code && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  /** The first line with this code and these fields, as soon as it is there. */
  async line(code: string, fields: Record<string, unknown> = {}): Promise<LogLine> {
    await this.until(`a log line ${code} ${JSON.stringify(fields)}`, () => this.of(code, fields).length > 0);
    return this.of(code, fields)[0] as LogLine;
  }

  /** The first line whose message matches, as soon as it is there. */
  async said(text: RegExp): Promise<LogLine> {
    const find = (): LogLine | undefined => this.lines.find(({ msg }) => text.test(msg));
    await this.until(
      () => `a log line ${text} among ${this.lines.map(({ msg }) => msg).join(' | ')}`,
      () => find() !== undefined,
    );
    return find() as LogLine;
  }
}

export interface GatewayRig {
  readonly gateway: Gateway;
  /** The plugin folder. */
  readonly plugins: string;
  readonly book: LogBook;
  /** Copies a built guest into the folder. */
  drop(guest: string, as?: string): Promise<void>;
  /** Value of a metric with these labels, 0 if there is none. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Looks at a metric until it has this value or more. */
  reaches(value: number, name: string, labels?: Record<string, string>): Promise<void>;
  /** Looks at a metric until it has this value or less. */
  falls(value: number, name: string, labels?: Record<string, string>): Promise<void>;
  get(path: string): Promise<{ status: number; body: string }>;
  ready(): Promise<Readiness>;
  /** What /readyz tells of this code, and that the gateway is ready all the same. */
  degraded(code: string): Promise<string[]>;
}

/** Modbus source on one device, polled fast. */
export function modbus(port: number, options: Record<string, unknown> = {}) {
  const { every = '5ms', units = 1, ...rest } = options;
  return {
    modbus: {
      devices: [{ host: '127.0.0.1', port, units }],
      poll: [{ holding: '0-3', every }],
      reconnect: { min: '20ms', max: '50ms' },
      ...rest,
    },
  };
}

/** MQTT sink, quick to come back. */
export function mqtt(port: number, options: Record<string, unknown> = {}) {
  return {
    mqtt: {
      url: `mqtt://127.0.0.1:${port}`,
      version: 4,
      reconnect: { min: '20ms', max: '50ms' },
      ...options,
    },
  };
}

/**
 * A gateway from a configuration (as text, through the real loader) in a folder of its own; stopped when
 * the test ends.
 * @param files guests that are in the plugin folder from the start
 * @param at the folder of a gateway before, which has stopped
 */
export async function makeGateway(
  t: TestContext,
  config: Record<string, unknown>,
  files: readonly string[] = [],
  at?: string,
): Promise<GatewayRig> {
  const folder = at ?? (await mkdtemp(join(tmpdir(), 'sluice-test-')));
  const plugins = join(folder, 'plugins');
  await mkdir(plugins, { recursive: true });
  for (const file of files) await copyFile(guestFile(file), join(plugins, `${file}.wasm`));
  const book = new LogBook();
  const text = JSON.stringify({ admin: { port: 0 }, broker: { port: 0 }, ...config });
  const { config: filled } = await readConfig(text, join(folder, 'sluice.yaml'), { environment: {} });
  const gateway = new Gateway(filled, { log: book.log });
  cleanUp(t, gateway, folder);
  return {
    gateway,
    plugins,
    book,
    drop: (guest, as = `${guest}.wasm`) => copyFile(guestFile(guest), join(plugins, as)),
    metric: (name, labels = {}) => metricOf(gateway, name, labels),
    reaches: async (value, name, labels = {}) => {
      const end = performance.now() + PATIENCE_MS;
      while ((await metricOf(gateway, name, labels)) < value) {
        if (performance.now() > end) throw new Error(`${name} did not reach ${value}`);
        await setTimeout(10);
      }
    },
    falls: async (value, name, labels = {}) => {
      const end = performance.now() + PATIENCE_MS;
      while ((await metricOf(gateway, name, labels)) > value) {
        if (performance.now() > end) throw new Error(`${name} did not fall to ${value}`);
        await setTimeout(10);
      }
    },
    get: path => get(gateway.adminPort as number, path),
    ready: async () => JSON.parse((await get(gateway.adminPort as number, '/readyz')).body),
    degraded: async code => {
      const { status, body } = await get(gateway.adminPort as number, '/readyz');
      const { degraded } = JSON.parse(body) as Readiness;
      const messages = degraded.filter(trouble => trouble.code === code).map(({ message }) => message);
      return status === 200 ? messages : [`not ready: ${body}`];
    },
  };
}

const made = new WeakMap<TestContext, { gateways: Gateway[]; folders: Set<string> }>();

/** When the test ends all its gateways stop, and then the folders go: one that runs may write to its folder at any time. */
function cleanUp(t: TestContext, gateway: Gateway, folder: string): void {
  const known = made.get(t);
  known?.gateways.push(gateway);
  known?.folders.add(folder);
  if (known !== undefined) return;
  const all = { gateways: [gateway], folders: new Set([folder]) };
  made.set(t, all);
  t.after(async () => {
    await Promise.all(all.gateways.map(each => each.stop(0)));
    for (const each of all.folders) await rm(each, { recursive: true, force: true });
  });
}

/** The same, started. */
export async function startGateway(...args: Parameters<typeof makeGateway>): Promise<GatewayRig> {
  const rig = await makeGateway(...args);
  await rig.gateway.start();
  return rig;
}

async function metricOf(gateway: Gateway, name: string, labels: Record<string, string>): Promise<number> {
  const wanted = Object.entries(labels);
  const numbers = await gateway.metrics.values(name);
  const fits = (of: Readonly<Record<string, unknown>>) => wanted.every(([key, value]) => of[key] === value);
  return numbers.find(each => fits(each.labels))?.value ?? 0;
}

function get(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false }, response => {
      let body = '';
      response.on('data', chunk => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}
