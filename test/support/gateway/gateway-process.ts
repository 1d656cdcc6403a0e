import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Program } from '../../peers/program.js';
import { PATIENCE_MS } from '../devices/gateway-peers.js';
import { guestFile } from './gateway-rig.js';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));

/** A gateway in a process of its own, in a folder that outlives it: it can be killed and started again. */
export class GatewayProcess {
  readonly #folder: string;
  #program: Program | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param guest the plugin in its folder */
  static async prepare(
    folder: string,
    config: Record<string, unknown>,
    guest: string,
  ): Promise<GatewayProcess> {
    await mkdir(join(folder, 'plugins'), { recursive: true });
    await copyFile(guestFile(guest), join(folder, 'plugins', `${guest}.wasm`));
    const all = {
      plugins: { dir: './plugins' },
      data: { dir: './data' },
      admin: { port: 0 },
      ...config,
    };
    await writeFile(join(folder, 'sluice.yaml'), JSON.stringify(all));
    return new GatewayProcess(folder);
  }

  get pid(): number {
    return this.#program?.child.pid ?? -1;
  }

  /** Of the last start. */
  get log(): string {
    return this.#program?.printed ?? '';
  }

  /** Resolves when it runs. */
  async start(): Promise<void> {
    const args = [ENTRY, 'start', '--config', join(this.#folder, 'sluice.yaml')];
    this.#program = new Program(process.execPath, args);
    await this.#program.said(/sluice runs/);
  }

  /** Messages that lie in its spool, as any program can see. */
  get spooled(): number {
    const file = join(this.#folder, 'data', 'spool.db');
    if (!existsSync(file)) return 0;
    using database = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
    return Number(database.prepare('SELECT count(*) AS records FROM record').get()?.records);
  }

  /** Waits until so many lie in its spool. @throws Error PATIENCE_MS passed */
  async spools(records: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (this.spooled < records) {
      if (performance.now() > end) throw new Error(`${this.spooled} of ${records} are in the spool`);
      await setTimeout(20);
    }
  }

  /** As a failure of power to the process: nothing is said to it. */
  async kill(): Promise<void> {
    this.#program?.child.kill('SIGKILL');
    await this.#program?.ended();
  }

  /** SIGTERM. @returns exit code or signal */
  async stop(): Promise<number | string> {
    this.#program?.child.kill('SIGTERM');
    return (await this.#program?.ended()) ?? -1;
  }
}
