import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../../host/config/load.js';
import { Gateway } from '../../../host/gateway.js';
import { createLog } from '../../../host/telemetry/log.js';
import { Program } from '../../peers/program.js';
import { variant } from '../gateway/gateway-rig.js';
import { send } from '../sources/http-rig.js';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));

/** The gateway of a game, in a folder that outlives it: in this process, or in one of its own, which can be killed. */
export class House {
  readonly folder: string;
  readonly log: string[] = [];
  readonly #config: Record<string, unknown>;
  readonly #port: number;
  readonly #token: string;
  readonly #isApart: boolean;
  gateway: Gateway | undefined;
  #last: Gateway | undefined;
  #program: Program | undefined;
  /** What the program told of itself at its end. */
  #told = '';
  #version = 0;

  constructor(
    folder: string,
    config: Record<string, unknown>,
    port: number,
    token: string,
    isApart: boolean,
  ) {
    this.folder = folder;
    this.#config = config;
    this.#port = port;
    this.#token = token;
    this.#isApart = isApart;
  }

  async start(): Promise<void> {
    const file = join(this.folder, 'sluice.yaml');
    const text = JSON.stringify(this.#config);
    if (this.#isApart) {
      await writeFile(file, text);
      this.#program = new Program(process.execPath, [ENTRY, 'start', '--config', file]);
      await this.#program.said(/sluice runs/);
      return;
    }
    const { config } = await readConfig(text, file, { environment: {} });
    const log = createLog({
      environment: { SLUICE_LOG: 'debug' },
      pretty: false,
      write: line => this.log.push(line),
    });
    this.gateway = new Gateway(config, { log });
    this.#last = this.gateway;
    await this.gateway.start();
  }

  /** As SIGTERM. */
  async stop(): Promise<void> {
    await this.#hear();
    await this.gateway?.stop();
    this.gateway = undefined;
    await this.#end('SIGTERM');
  }

  /** As a failure of power; in this process it cannot be, and is a stop. */
  async kill(): Promise<void> {
    await this.#hear();
    await this.gateway?.stop();
    this.gateway = undefined;
    await this.#end('SIGKILL');
  }

  /** The counters of a program go with it. */
  async #hear(): Promise<void> {
    if (this.#program === undefined) return;
    this.#told = (await this.ask('GET', '/metrics')).body;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    if (program === undefined) return;
    program.child.kill(signal);
    await program.ended();
    this.log.push(`-- ${signal}`, ...program.printed.split('\n'));
  }

  /** What the program has printed since its start. */
  get lines(): readonly string[] {
    return [...this.log, ...(this.#program?.printed.split('\n') ?? [])];
  }

  /** A file with this guest in it becomes the plugin, as its next version. */
  async place(plugin: string, guest: string): Promise<void> {
    const folder = join(this.folder, 'plugins');
    await mkdir(folder, { recursive: true });
    const bytes = await variant(guest, { name: plugin, version: `1.0.${++this.#version}` });
    await writeFile(join(folder, `.${plugin}`), bytes);
    await rename(join(folder, `.${plugin}`), join(folder, `${plugin}.wasm`));
  }

  async remove(plugin: string): Promise<void> {
    await rm(join(this.folder, 'plugins', `${plugin}.wasm`), { force: true });
  }

  /** The admin API. @returns status and body; 0 where nobody answers */
  async ask(method: string, path: string): Promise<{ status: number; body: string }> {
    const asked = { path, method, headers: { authorization: `Bearer ${this.#token}` } };
    return send(this.#port, asked, '').catch(() => ({ status: 0, body: '' }));
  }

  /** Sum of the metrics of this name with these labels, of the gateway that ran last; of one apart as they were before it ended. */
  async sum(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels);
    if (this.#isApart) {
      const own = this.#told.split('\n').filter(line => line.startsWith(`${name}{`));
      return own
        .filter(line => wanted.every(([key, value]) => line.includes(`${key}="${value}"`)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    }
    const all = (await this.#last?.metrics.values(name)) ?? [];
    return all
      .filter(each => wanted.every(([key, value]) => (each.labels as Record<string, unknown>)[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }
}
