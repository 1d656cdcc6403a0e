import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PATIENCE_MS, Waiting } from '../support/devices/gateway-peers.js';

/** A peer in a process of its own; what it prints can be waited for. */
export class Program extends Waiting {
  readonly child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<unknown>;
  #printed = '';

  /** @param input given to its standard input, which is then closed */
  constructor(command: string, args: readonly string[], input?: string | Uint8Array) {
    super();
    this.#name = [command, ...args].join(' ');
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.child, 'close');
    // A peer that ends early does not read its input; that it ended is said where it is waited for.
    this.child.stdin?.on('error', () => {});
    this.child.stdin?.end(input);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', chunk => {
        this.#printed += String(chunk);
        this.changed();
      });
    }
    this.child.once('close', () => this.changed());
  }

  /** Standard output and standard error. */
  get printed(): string {
    return this.#printed;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until it has printed this. @throws Error it ended or PATIENCE_MS passed */
  async said(text: RegExp): Promise<RegExpExecArray> {
    const found = (): RegExpExecArray | null => text.exec(this.#printed);
    const where = (): string => `${text} from ${this.#name}, which said:\n${this.#printed.slice(-2000)}`;
    await this.until(where, () => found() !== null || !this.running);
    const match = found();
    if (match === null) throw new Error(`ended without ${where()}`);
    return match;
  }

  /** Waits for its end. @returns exit code or signal */
  async ended(): Promise<number | string> {
    await this.until(
      () => `the end of ${this.#name}, which said:\n${this.#printed.slice(-2000)}`,
      () => !this.running,
    );
    await this.#ended;
    return this.child.exitCode ?? this.child.signalCode ?? -1;
  }

  /** SIGTERM, and SIGKILL if that is not enough: a broker writes down first what it is to remember. */
  async stop(): Promise<void> {
    if (this.running) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS / 4);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Runs a peer to its end. @throws Error its exit code is not 0 */
export async function runProgram(
  command: string,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<string> {
  const program = new Program(command, args, input);
  const end = await program.ended();
  if (end !== 0) throw new Error(`${command} ended with ${end}: ${program.printed}`);
  return program.printed;
}
