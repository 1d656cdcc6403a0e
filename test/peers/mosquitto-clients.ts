import { Program, runProgram } from './program.js';

const SUBSCRIBER = '/usr/bin/mosquitto_sub';
const PUBLISHER = '/usr/bin/mosquitto_pub';

export interface Seen {
  readonly topic: string;
  readonly payload: Buffer;
  /** As mosquitto_sub prints them: `key:value`, one after the other. */
  readonly properties: string;
  readonly contentType: string;
}

/** mosquitto_sub as the witness: counts what a broker hands out, without any code of ours in it. */
export class MosquittoSub {
  readonly #program: Program;
  readonly #messages: Seen[] = [];
  #parsed = 0;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** @param options further arguments, such as `-c -i witness` for a session that outlives the connection */
  static async start(port: number, filter: string, options: readonly string[] = []): Promise<MosquittoSub> {
    const format = ['-F', '>%t|%x|%P|%C'];
    const args = [
      '-h',
      '127.0.0.1',
      '-p',
      `${port}`,
      '-V',
      '5',
      '-q',
      '1',
      '-t',
      filter,
      ...format,
      ...options,
    ];
    // -d tells when the subscription stands. Into a pipe it would print in blocks.
    const program = new Program('/usr/bin/stdbuf', ['-oL', SUBSCRIBER, '-d', ...args]);
    await program.said(/received SUBACK/);
    return new MosquittoSub(program);
  }

  /** Everything that has come, in its order. */
  get messages(): readonly Seen[] {
    const { printed } = this.#program;
    const end = printed.lastIndexOf('\n') + 1;
    for (const line of printed.slice(this.#parsed, end).split('\n')) {
      if (!line.startsWith('>')) continue;
      const [topic = '', hex = '', properties = '', contentType = ''] = line.slice(1).split('|');
      this.#messages.push({ topic, payload: Buffer.from(hex, 'hex'), properties, contentType });
    }
    this.#parsed = end;
    return this.#messages;
  }

  get texts(): string[] {
    return this.messages.map(({ payload }) => payload.toString());
  }

  until(what: string, condition: (messages: readonly Seen[]) => boolean): Promise<void> {
    return this.#program.until(
      () => `${what}; ${this.messages.length} messages came, the last ${this.texts.at(-1)}`,
      () => condition(this.messages),
    );
  }

  atLeast(count: number): Promise<void> {
    return this.until(`${count} messages`, messages => messages.length >= count);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** Publishes one message. @param options further arguments of mosquitto_pub */
export async function publish(
  port: number,
  topic: string,
  payload: Uint8Array | string,
  options: readonly string[] = [],
): Promise<void> {
  const args = ['-h', '127.0.0.1', '-p', `${port}`, '-V', '5', '-q', '1', '-t', topic, ...options];
  if (typeof payload === 'string') await runProgram(PUBLISHER, [...args, '-m', payload]);
  else await runProgram(PUBLISHER, [...args, '-s'], payload);
}

/** Publishes each line (characters up to U+00FF, each one byte) as a message of its own, over one connection. */
export async function publishLines(
  port: number,
  topic: string,
  lines: readonly string[],
  options: readonly string[] = [],
): Promise<void> {
  const args = ['-h', '127.0.0.1', '-p', `${port}`, '-V', '5', '-q', '1', '-t', topic, '-l', ...options];
  await runProgram(PUBLISHER, args, Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
}
