import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Program } from '../../peers/program.js';
import { CutProxy } from './cut-proxy.js';

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** Why no network of our own can be made here; false: it can. Root of a container may not. */
export function cannotMakeNetworks(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const probe = `sluice-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'del', probe);
    return false;
  } catch {
    return 'needs leave to make networks (`ip netns add`)';
  }
}

/** One program at the other end of a cable that can be pulled. */
export interface Cable {
  readonly host: string;
  /** Runs one of our own files there, which prints the port that it listens on. @returns the port to connect to */
  run(file: URL, prints: RegExp): Promise<number>;
  pull(): void;
  plug(): void;
  remove(): Promise<void>;
}

/** Where no networks may be made: a proxy that passes nothing on while the cable is pulled. */
export class ProxyCable implements Cable {
  readonly host = '127.0.0.1';
  #program: Program | undefined;
  #proxy: CutProxy | undefined;

  async run(file: URL, prints: RegExp): Promise<number> {
    this.#program = new Program(process.execPath, [fileURLToPath(file)]);
    const [, port] = await this.#program.said(prints);
    this.#proxy = await CutProxy.start(Number(port));
    return this.#proxy.port;
  }

  pull(): void {
    this.#proxy?.hold();
  }

  plug(): void {
    this.#proxy?.release();
  }

  async remove(): Promise<void> {
    await this.#proxy?.stop();
    await this.#program?.stop();
  }
}

/** A network of its own for one program. */
export class FarNetwork implements Cable {
  readonly host: string;
  readonly #name = `sluice${process.pid}`;
  readonly #near = `slu${process.pid}a`;
  readonly #far = `slu${process.pid}b`;
  #program: Program | undefined;

  constructor() {
    const net = `10.213.${process.pid % 250}`;
    this.host = `${net}.2`;
    ip('netns', 'add', this.#name);
    ip('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', this.#far, 'netns', this.#name);
    ip('addr', 'add', `${net}.1/30`, 'dev', this.#near);
    ip('link', 'set', this.#near, 'up');
    ip('-n', this.#name, 'addr', 'add', `${this.host}/30`, 'dev', this.#far);
    this.plug();
  }

  async run(file: URL, prints: RegExp): Promise<number> {
    const args = ['netns', 'exec', this.#name, process.execPath, fileURLToPath(file)];
    this.#program = new Program('ip', args);
    return Number((await this.#program.said(prints))[1]);
  }

  /** Nothing arrives any more, and nobody is told. */
  pull(): void {
    ip('-n', this.#name, 'link', 'set', this.#far, 'down');
  }

  plug(): void {
    ip('-n', this.#name, 'link', 'set', this.#far, 'up');
  }

  async remove(): Promise<void> {
    await this.#program?.stop();
    ip('netns', 'del', this.#name);
  }
}
