import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const SUBSCRIBER = '/usr/bin/mosquitto_sub';
const STILL_MS = 500;

export interface Counted {
  readonly lost: number;
  readonly duplicated: number;
  /** Messages that came behind one with a higher number. */
  readonly disordered: number;
}

/** Its client id, which the broker logs. */
export const WITNESS = 'witness';

/** mosquitto_sub, which writes every payload into a file: a count without any code of ours in it. */
export class SubscriberCount {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async start(port: number, path: string, topic = 'out/in/#'): Promise<SubscriberCount> {
    const out = await open(path, 'w');
    const args = ['-h', '127.0.0.1', '-p', `${port}`, '-i', WITNESS, '-q', '0', '-t', topic, '-F', '%p'];
    const child = spawn(SUBSCRIBER, args, { stdio: ['ignore', out.fd, 'ignore'] });
    await once(child, 'spawn');
    await out.close();
    return new SubscriberCount(child, path);
  }

  /**
   * Waits until nothing comes any more, ends it and counts the numbers from 0 to `sent`.
   * @param skip characters before the number in each payload
   */
  async finish(sent: number, skip = 7): Promise<Counted> {
    for (let before = -1, size = 0; size !== before; await sleep(STILL_MS)) {
      before = size;
      size = (await stat(this.#file)).size;
    }
    await this.stop();
    const times = new Uint8Array(sent);
    let highest = -1;
    let disordered = 0;
    for await (const line of createInterface(createReadStream(this.#file))) {
      const sequence = Number(line.slice(skip));
      times[sequence]!++;
      if (sequence > highest) highest = sequence;
      else disordered++;
    }
    return {
      lost: times.filter(count => count === 0).length,
      duplicated: times.filter(count => count > 1).length,
      disordered,
    };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }
}
