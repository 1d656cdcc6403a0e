import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unusedPort } from '../support/devices/plc.js';
import { Program } from './program.js';

const BROKER = '/usr/sbin/mosquitto';
/** A port that was free a moment ago may be gone when the broker wants it. */
const TRIES = 5;
const LOGGED = ['error', 'warning', 'notice', 'information', 'subscribe'];

/** Debian's mosquitto on a port of its own. What it keeps lies in the given folder, which is the caller's to remove. */
export class Mosquitto {
  readonly #folder: string;
  readonly #config: string;
  readonly port: number;
  #program: Program;

  private constructor(folder: string, config: string, port: number, program: Program) {
    this.#folder = folder;
    this.#config = config;
    this.port = port;
    this.#program = program;
  }

  /** @param lines of mosquitto.conf, after the listener; by default everybody may connect */
  static async start(
    folder: string,
    lines: readonly string[] = ['allow_anonymous true'],
  ): Promise<Mosquitto> {
    for (let attempt = 1; ; attempt++) {
      const port = await unusedPort();
      // Without nodelay a confirmation waits for the delayed ACK of the other side, 40 ms at a time.
      // As root it would change to a user who may not read the folder.
      const head = [`listener ${port} 127.0.0.1`, 'set_tcp_nodelay true', 'user root'];
      const config = [...head, ...LOGGED.map(type => `log_type ${type}`), ...lines, ''].join('\n');
      try {
        return new Mosquitto(folder, config, port, await launch(folder, config));
      } catch (thrown) {
        if (attempt === TRIES || !/Address already in use/.test(String(thrown))) throw thrown;
      }
    }
  }

  get pid(): number {
    return this.#program.child.pid ?? -1;
  }

  get log(): string {
    return this.#program.printed;
  }

  /** Waits until this client has subscribed. */
  async subscribed(clientId: string): Promise<void> {
    await this.#program.said(new RegExp(`: ${clientId} \\d `));
  }

  /** Waits until somebody has subscribed to a filter that begins so. */
  async listens(filter: string): Promise<void> {
    await this.#program.said(new RegExp(`: \\S+ \\d ${filter}`));
  }

  /** Starts it again on its port, after `stop`. */
  async again(): Promise<void> {
    this.#program = await launch(this.#folder, this.#config);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

async function launch(folder: string, config: string): Promise<Program> {
  const file = join(folder, 'mosquitto.conf');
  await writeFile(file, config, { mode: 0o600 });
  const program = new Program(BROKER, ['-c', file]);
  try {
    await program.said(/mosquitto version \S+ running/);
  } catch (thrown) {
    await program.stop();
    throw thrown;
  }
  return program;
}
