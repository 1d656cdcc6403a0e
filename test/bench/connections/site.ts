import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { unusedPort } from '../../support/devices/plc.js';
import { answer, gone } from '../child.js';
import { cpuOf } from '../gateway/cpu.js';
import { prepareGateway } from '../gateway/subjects.js';
import type { Exchanged, Kind, Task } from './clients.js';

export interface Round {
  /** Exchanges a second. */
  readonly rate: number;
  /** Microseconds of the server's processor time for one, all threads. */
  readonly cpu: number;
}

const CLIENTS = 2;
const LANES = 16;
const CONNECTIONS = 20_000;
/** What collects garbage gets this long before memory is looked at. */
const REST_MS = 1000;
const PAGE = 4096;

/**
 * A gateway with a tunnel (in front of plugin and mosquitto), the tunnel's source alone, a bare server, one that converts
 * and publishes to that mosquitto too (the best program of `ingest`), and two processes of clients.
 */
export class Site {
  readonly #folder: string;
  readonly #running: { stop(): Promise<void> }[] = [];
  readonly #clients: ChildProcess[] = [];
  readonly #servers = new Map<Kind, { pid: number; port: number }>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'sluice-bench-')));
    try {
      await site.#start();
      return site;
    } catch (thrown) {
      await site.stop();
      throw thrown;
    }
  }

  async #start(): Promise<void> {
    const broker = await Mosquitto.start(this.#folder);
    this.#running.push(broker);
    const port = await unusedPort();
    const many = { connections: CONNECTIONS, connectionsPerPeer: CONNECTIONS };
    const source = { tunnel: { host: '127.0.0.1', port, ...many, keepAlive: '10m' } };
    const options = { plugin: 'modbus-json', source, prefix: 'out/' };
    await this.#serve(
      'gateway',
      port,
      await prepareGateway(this.#folder, broker.port, options),
      /sluice runs/,
    );
    const other = await unusedPort();
    await this.#serve(
      'bare',
      other,
      [fileURLToPath(new URL('./bare.js', import.meta.url)), `${other}`],
      /ready/,
    );
    const third = await unusedPort();
    const best = fileURLToPath(new URL('../ingest/bare-best.js', import.meta.url));
    await this.#serve('publishing', third, [best, `${broker.port}`, `${third}`], /ready/);
    const alone = await this.#fork<number>('../tunnel/server.js', 'tunnel');
    this.#servers.set('tunnel', { pid: alone.child.pid ?? -1, port: alone.first });
    for (let number = 0; number < CLIENTS; number++)
      this.#clients.push((await this.#fork('./clients.js', `${number}`)).child);
  }

  /** A process of ours, and the first thing that it says. */
  async #fork<T>(file: string, argument: string): Promise<{ child: ChildProcess; first: T }> {
    const child = fork(new URL(file, import.meta.url), [argument], { execArgv: [] });
    this.#running.push({ stop: () => gone(child) });
    return { child, first: await answer<T>(child) };
  }

  async #serve(kind: Kind, port: number, args: readonly string[], ready: RegExp): Promise<void> {
    const program = new Program(process.execPath, args);
    this.#running.push(program);
    await program.said(ready);
    this.#servers.set(kind, { pid: program.child.pid ?? -1, port });
  }

  /** Short connections for so long, of all clients. */
  async exchange(kind: Kind, ms: number): Promise<Round> {
    const { port, pid } = this.#server(kind);
    const before = cpuOf(pid);
    const all = await this.#tell<Exchanged>({ task: 'short', kind, port, lanes: LANES, ms });
    const cpuUs = cpuOf(pid) - before;
    const count = all.reduce((sum, { exchanges }) => sum + exchanges, 0);
    return { rate: all.reduce((sum, each) => sum + each.exchanges / each.seconds, 0), cpu: cpuUs / count };
  }

  /** Bytes of resident memory that each of `count` idle connections has added; they are closed again. */
  async idle(kind: Kind, count: number): Promise<number> {
    const { port, pid } = this.#server(kind);
    await sleep(REST_MS);
    const before = residentOf(pid);
    await this.#tell({ task: 'open', kind, port, count: count / CLIENTS });
    await sleep(REST_MS);
    const after = residentOf(pid);
    await this.#tell({ task: 'close' });
    return (after - before) / count;
  }

  async stop(): Promise<void> {
    for (const each of this.#running.toReversed()) await each.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #server(kind: Kind): { port: number; pid: number } {
    return this.#servers.get(kind)!;
  }

  async #tell<T>(task: Task): Promise<T[]> {
    for (const clients of this.#clients) clients.send(task);
    return Promise.all(this.#clients.map(clients => answer<T>(clients)));
  }
}

/** proc(5), statm. */
function residentOf(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
  return Number(pages) * PAGE;
}
