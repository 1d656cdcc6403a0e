import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Program } from '../peers/program.js';

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

/** A network of its own for one program, at the other end of a cable that can be pulled. */
export class FarNetwork {
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

  /** Runs one of our own files there. @returns what it prints that matches */
  async run(file: URL, prints: RegExp): Promise<RegExpExecArray> {
    const args = ['netns', 'exec', this.#name, process.execPath, fileURLToPath(file)];
    this.#program = new Program('ip', args);
    return this.#program.said(prints);
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
