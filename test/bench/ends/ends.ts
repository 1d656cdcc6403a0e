import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What the broker has counted since it was asked last. */
export interface Published {
  readonly published: number;
  /** Different messages. */
  readonly distinct: number;
  /** Checksum over the different messages. */
  readonly contents: number;
}

/** The two ends of a gateway, in processes of their own so that their work is not counted as the gateway's. */
export class Ends {
  readonly #plc: ChildProcess;
  readonly #broker: ChildProcess;
  readonly plcPort: number;
  readonly brokerPort: number;

  private constructor(plc: ChildProcess, plcPort: number, broker: ChildProcess, brokerPort: number) {
    this.#plc = plc;
    this.#broker = broker;
    this.plcPort = plcPort;
    this.brokerPort = brokerPort;
  }

  static async start(): Promise<Ends> {
    const plc = fork(new URL('./plc.js', import.meta.url), { execArgv: [] });
    const broker = fork(new URL('./broker.js', import.meta.url), { execArgv: [] });
    const [a, b] = await Promise.all([answer<{ port: number }>(plc), answer<{ port: number }>(broker)]);
    return new Ends(plc, a.port, broker, b.port);
  }

  /** Asks the broker what came, and sets its counters back. */
  published(): Promise<Published> {
    this.#broker.send('count');
    return answer(this.#broker);
  }

  async stop(): Promise<void> {
    const children = [this.#plc, this.#broker];
    const gone = children.map(child => once(child, 'exit'));
    for (const child of children) child.disconnect();
    await Promise.all(gone);
  }
}

/** @throws Error the process ended instead */
async function answer<T>(child: ChildProcess): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const ended = (): void => reject(new Error('a process of the benchmark ended'));
  const told = (message: unknown): void => resolve(message as T);
  child.once('exit', ended);
  child.once('message', told);
  try {
    return await promise;
  } finally {
    child.off('exit', ended);
    child.off('message', told);
  }
}
