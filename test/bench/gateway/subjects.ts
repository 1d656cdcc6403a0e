import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '../../peers/program.js';
import { mqttFlow, prepareNodeRed } from './node-red.js';

export const KINDS = ['sluice', 'nodeRed', 'usual', 'best'] as const;
export type Kind = (typeof KINDS)[number];

/** Each with the same work: `in/<kind>/...` to `out/in/<kind>/...`. */
export async function startSubject(kind: Kind, folder: string, port: number): Promise<Program> {
  const { args, ready } = await PREPARE[kind](folder, port);
  const program = new Program(process.execPath, args);
  await program.said(ready);
  return program;
}

interface Prepared {
  readonly args: readonly string[];
  readonly ready: RegExp;
}

const PREPARE: Readonly<Record<Kind, (folder: string, port: number) => Promise<Prepared>>> = {
  sluice: async (folder, port) => ({
    args: await prepareSluice(folder, port, { plugin: 'modbus-json', topics: ['in/sluice/#'] }),
    ready: /sluice runs/,
  }),
  nodeRed: async (folder, port) => ({
    args: await prepareNodeRed(folder, mqttFlow(port, 'nodeRed')),
    ready: /Connected to broker/,
  }),
  usual: async (_folder, port) => ({ args: [file('./bare-usual.js'), `${port}`, 'usual'], ready: /ready/ }),
  best: async (_folder, port) => ({ args: [file('./bare-best.js'), `${port}`, 'best'], ready: /ready/ }),
};

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * Writes configuration and plugin folder of a gateway from MQTT to MQTT, both at QoS 0.
 * @returns arguments for node
 */
function prepareSluice(
  folder: string,
  port: number,
  { plugin, topics }: { plugin: string; topics: readonly string[] },
): Promise<string[]> {
  const floor = { mqtt: { url: `mqtt://127.0.0.1:${port}`, version: 4, topics, qos: 0 } };
  return prepareGateway(folder, port, { plugin, source: floor, prefix: 'out/' });
}

/**
 * The same from any source.
 * @param options.prefix of the topics at the broker
 * @param options.witness port of a second sink, which gets all that the broker gets
 * @returns arguments for node
 */
export async function prepareGateway(
  folder: string,
  port: number,
  { plugin, source, prefix, witness }: { plugin: string; source: object; prefix: string; witness?: number },
): Promise<string[]> {
  const sink = (at: number) => ({ mqtt: { url: `mqtt://127.0.0.1:${at}`, version: 4, qos: 0, prefix } });
  const plugins = join(folder, 'plugins');
  await mkdir(plugins);
  if (plugin === 'modbus-json')
    await copyFile(file('../../../plugins/modbus-json.wasm'), join(plugins, `${plugin}.wasm`));
  const config = {
    plugins: { dir: plugins },
    sources: { floor: source },
    sinks: { plant: sink(port), ...(witness === undefined ? {} : { witness: sink(witness) }) },
    routes: [{ from: 'floor', through: [plugin] }],
    data: { dir: join(folder, 'data') },
    admin: { port: 0 },
  };
  const path = join(folder, 'sluice.yaml');
  await writeFile(path, JSON.stringify(config));
  return [file('../../../host/cli/sluice.js'), 'start', '--config', path];
}
