import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { CutProxy } from '../../support/devices/cut-proxy.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';

const SUBSCRIBER = '/usr/bin/mosquitto_sub';
const PUBLISHER = '/usr/bin/mosquitto_pub';
/** The guest `stamp` puts this before every payload. */
const STAMP = '000000:';
const QUIET_MS = 5000;

/** What mosquitto_sub has written down, by source: the numbers from 0 on, each with the ids it came under. */
export interface Count {
  readonly lost: number;
  /** Came again under the id that it had: what a consumer can drop. */
  readonly repeated: number;
  /** Came again under another id: its sender had sent it again. */
  readonly sentAgain: number;
  /** Came, for the first time, behind a later one of its source. */
  readonly outOfOrder: number;
}

/**
 * A gateway in a process of its own from MQTT to MQTT, both at QoS 1 and 5.0, and the line to its sink, which can be
 * cut. Who delivers and counts are mosquitto's own programs.
 */
export class Site {
  readonly folder: string;
  readonly broker: Mosquitto;
  readonly line: CutProxy;
  readonly gateway: GatewayProcess;
  readonly #seen: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string, broker: Mosquitto, line: CutProxy, gateway: GatewayProcess) {
    this.folder = folder;
    this.broker = broker;
    this.line = line;
    this.gateway = gateway;
    this.#seen = join(folder, 'seen');
  }

  /** @param sources how many, each with a topic `in/N` of its own @param dataMax space for the spool */
  static async build(sources: number, dataMax: string): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    const lines = ['allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 1000'];
    const broker = await Mosquitto.start(folder, lines);
    const line = await CutProxy.start(broker.port);
    const reconnect = { min: '50ms', max: '200ms' };
    const source = (number: number) => ({
      mqtt: {
        url: `mqtt://127.0.0.1:${broker.port}`,
        topics: [`in/${number}`],
        clientId: `source${number}`,
        reconnect,
      },
    });
    const names = Array.from({ length: sources }, (_, number) => `source${number}`);
    const config = {
      sources: Object.fromEntries(names.map((name, number) => [name, source(number)])),
      sinks: { plant: { mqtt: { url: `mqtt://127.0.0.1:${line.port}`, prefix: 'out/', reconnect } } },
      routes: [{ from: names, through: ['stamp'], to: 'plant' }],
      data: { dir: './data', max: dataMax },
    };
    const gateway = await GatewayProcess.prepare(folder, config, 'stamp');
    const site = new Site(folder, broker, line, gateway);
    await site.#subscribe();
    return site;
  }

  /**
   * mosquitto_pub at QoS 1: what is written into it line by line, at a pace that the broker keeps up with: what waits in it
   * when its input ends is not sent.
   */
  publisher(source: number): ChildProcess {
    const args = ['-h', '127.0.0.1', '-p', `${this.broker.port}`, '-V', '5', '-q', '1', '-l'];
    const child = spawn(PUBLISHER, [...args, '-t', `in/${source}`], { stdio: ['pipe', 'ignore', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** Bytes that the subscriber has written. */
  async seenBytes(): Promise<number> {
    return (await stat(this.#seen)).size;
  }

  /** Waits until nothing has come for a while. */
  async quiet(): Promise<void> {
    for (let before = -1, size = 0; size !== before; await sleep(QUIET_MS)) {
      before = size;
      size = await this.seenBytes();
    }
  }

  /** @param sent of each source */
  async count(sent: readonly number[]): Promise<Count> {
    const ids = sent.map(() => new Map<number, Set<string>>());
    const highest = sent.map(() => -1);
    let repeated = 0;
    let sentAgain = 0;
    let outOfOrder = 0;
    for await (const text of createInterface({ input: createReadStream(this.#seen, 'latin1') })) {
      const [topic = '', payload = '', properties = ''] = text.split('|');
      const source = Number(topic.slice(topic.lastIndexOf('/') + 1));
      const number = Number(payload.slice(STAMP.length));
      const id = properties.slice(properties.lastIndexOf(':') + 1);
      const known = ids[source]?.get(number);
      if (known === undefined) {
        ids[source]?.set(number, new Set([id]));
        if (number < (highest[source] as number)) outOfOrder++;
        highest[source] = Math.max(highest[source] as number, number);
      } else if (known.has(id)) repeated++;
      else {
        known.add(id);
        sentAgain++;
      }
    }
    const lost = sent.reduce((sum, count, source) => sum + count - (ids[source]?.size ?? 0), 0);
    return { lost, repeated, sentAgain, outOfOrder };
  }

  async stop(): Promise<void> {
    await this.gateway.kill();
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    await this.line.stop();
    await this.broker.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #subscribe(): Promise<void> {
    const out = await open(this.#seen, 'w');
    // A session that outlives its connection, though nobody cuts this one.
    const session = ['-V', '5', '-q', '1', '-c', '-i', 'witness', '-x', '86400'];
    const args = [
      '-h',
      '127.0.0.1',
      '-p',
      `${this.broker.port}`,
      ...session,
      '-t',
      'out/#',
      '-F',
      '%t|%p|%P',
    ];
    const child = spawn(SUBSCRIBER, args, { stdio: ['ignore', out.fd, 'inherit'] });
    this.#children.push(child);
    await out.close();
    await this.broker.subscribed('witness');
  }
}
