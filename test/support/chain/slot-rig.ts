import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { defaultRules, type Fault, Interned, readManifest, Stamp } from '../../../runtime/index.js';
import {
  type BreakerLimits,
  type ChainSpec,
  type Delivery,
  type KeptState,
  type PluginRestored,
  type Probation,
  SandboxPool,
  Slot,
  type SlotChange,
  type StageSpec,
  type WhenOpen,
} from '../../../sandbox/index.js';

const TIME = Stamp.ofMs(1_764_000_000_123.5);

/** What became of one frame (or of one stage of a flush). */
export interface Outcome {
  readonly sequence: number;
  readonly code: string | undefined;
  readonly stage: number;
  readonly text: string;
  readonly messages: readonly {
    topic: string;
    payload: Buffer;
    contentType: string;
    properties: [string, string][];
  }[];
}

export interface RigOptions {
  readonly deadlineMs?: number;
  readonly startDeadlineMs?: number;
  readonly memory?: number;
  readonly output?: number;
  readonly config?: string;
  readonly breaker?: BreakerLimits;
  readonly probation?: Probation;
  readonly snapshotEvery?: number;
}

const guests = new URL('../../guests/', import.meta.url);

/** A guest of test/guests/ as a stage. */
export async function guestStage(name: string, options: RigOptions = {}): Promise<StageSpec> {
  const bytes = await readFile(new URL(`${name}.wasm`, guests));
  const manifest = readManifest(bytes)?.manifest;
  return {
    plugin: name,
    version: manifest?.version ?? '0.0.0',
    kind: manifest?.kind ?? 'converter',
    config: options.config ?? '{}',
    rules: defaultRules(name, options.memory ?? 16 << 20),
    deadlineMs: options.deadlineMs ?? 200,
    code: { format: 'core', bytes },
  };
}

export function chainOf(stages: readonly StageSpec[], options: RigOptions = {}): ChainSpec {
  const { startDeadlineMs = 5000, output = 16 << 20, breaker, probation, snapshotEvery } = options;
  return {
    stages,
    startDeadlineMs,
    output,
    ...(breaker === undefined ? {} : { breaker }),
    ...(probation === undefined ? {} : { probation }),
    ...(snapshotEvery === undefined ? {} : { snapshotEvery }),
  };
}

/** A slot on real threads, and a reader that takes down every outcome. */
export class SlotRig {
  readonly pool: SandboxPool;
  readonly #ownPool: boolean;
  readonly outcomes: Outcome[] = [];
  readonly flushes: Outcome[] = [];
  readonly faults: { fault: Fault; plugin: string; frames: number }[] = [];
  readonly restarts: Fault[] = [];
  readonly failures: Fault[] = [];
  readonly changes: SlotChange[] = [];
  readonly restored: PluginRestored[] = [];
  readonly unsaved: Fault[] = [];
  whenOpen: WhenOpen = 'spool';
  readonly logs: { plugin: string; text: string }[] = [];
  readonly #events = new EventEmitter();
  readonly #topic = Interned.text('test/topic');
  readonly #source = Interned.text('test');
  #pushed = 0;
  /** Set to look at deliveries before they are acked, or to keep them. */
  onDelivery: (delivery: Delivery) => void = () => {};
  onSaved: (states: readonly KeptState[]) => void = () => {};
  readonly slot: Slot;

  /** @param pool absent: one of its own, which ends with it */
  constructor(pool?: SandboxPool) {
    this.#ownPool = pool === undefined;
    this.pool = pool ?? new SandboxPool({ threads: 4 });
    this.slot = this.#makeSlot();
  }

  #makeSlot(): Slot {
    return new Slot(this.pool, {
      committed: () => this.#take(),
      fault: (fault, plugin, frames) => this.faults.push({ fault, plugin, frames }),
      restarted: fault => {
        this.restarts.push(fault);
        this.#events.emit('change');
      },
      failed: fault => {
        this.failures.push(fault);
        this.#events.emit('change');
      },
      changed: change => {
        this.changes.push(change);
        this.#events.emit('change');
      },
      restored: restored => {
        this.restored.push(restored);
        this.#events.emit('change');
      },
      unsaved: fault => this.unsaved.push(fault),
      saved: states => {
        this.onSaved(states);
        this.#events.emit('change');
      },
      whenOpen: () => this.whenOpen,
      log: (plugin, lines) => {
        for (const { text } of lines) this.logs.push({ plugin, text });
        this.#events.emit('change');
      },
    });
  }

  /** Starts (or swaps to) a chain of guests. */
  async serve(names: readonly string[], options: RigOptions = {}): Promise<void> {
    await this.slot.swap(chainOf(await Promise.all(names.map(name => guestStage(name, options))), options));
  }

  /** Pushes frames in one turn; waits for room where there is none. */
  async push(payloads: readonly Uint8Array[], properties?: Interned): Promise<void> {
    for (const payload of payloads) {
      this.#pushed++;
      while (!this.#offer(payload, properties)) await once(this.#events, 'change');
    }
    this.slot.turnEnded();
  }

  #offer(payload: Uint8Array, properties: Interned | undefined): boolean {
    const { ring } = this.slot;
    const taken = ring.push(
      0,
      this.#pushed,
      this.#source,
      this.#topic,
      TIME,
      payload,
      0,
      payload.length,
      properties,
    );
    if (!taken) this.slot.turnEnded();
    return taken;
  }

  /** Waits until every frame pushed so far has its outcome. */
  async settle(): Promise<readonly Outcome[]> {
    await this.until(() => this.outcomes.length >= this.#pushed);
    return this.outcomes;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#events, 'change');
  }

  async run(payloads: readonly Uint8Array[], properties?: Interned): Promise<readonly Outcome[]> {
    await this.push(payloads, properties);
    return this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.slot.stop(AbortSignal.timeout(2000));
    if (this.#ownPool) await this.pool.close();
  }

  #take(): void {
    for (let delivery = this.slot.next(); delivery !== undefined; delivery = this.slot.next()) {
      this.onDelivery(delivery);
      for (let frame = delivery.begin; frame < delivery.end; frame++) {
        const outcome = readOutcome(delivery, frame);
        if (delivery.isFlush) this.flushes.push(outcome);
        else this.outcomes.push(outcome);
      }
      this.slot.ack();
    }
    this.#events.emit('change');
  }
}

function readOutcome(delivery: Delivery, frame: number): Outcome {
  delivery.load(frame);
  const { outcome, message, slab } = delivery;
  const { code, stage } = outcome;
  const messages = Array.from({ length: outcome.messages }, (_, index) => {
    message.load(slab, outcome.offset + index * 48);
    const { bytes } = message;
    const properties = Array.from({ length: message.propertyCount }, (_, at): [string, string] => {
      message.property(at);
      return [
        bytes.toString('utf8', message.keyStart, message.keyEnd),
        bytes.toString('utf8', message.valueStart, message.valueEnd),
      ];
    });
    return {
      topic: bytes.toString('utf8', message.topicStart, message.topicEnd),
      payload: Buffer.from(bytes.subarray(message.payloadStart, message.payloadEnd)),
      contentType: bytes.toString('utf8', message.contentTypeStart, message.contentTypeEnd),
      properties,
    };
  });
  const text = code === undefined ? '' : outcome.text(slab);
  return { sequence: delivery.isFlush ? 0 : delivery.sequenceOf(frame), code, stage, text, messages };
}
