import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Transpiler } from '../../../host/plugins/transpiler.js';
import {
  admit,
  Chain,
  CoreInstance,
  defaultRules,
  FrameWriter,
  type GuestLog,
  HEADER,
  Interned,
  LIMITS,
  MessageCursor,
  moduleKind,
  ObjectInstance,
  OutcomeCursor,
  OutWriter,
  readManifest,
  Slab,
  type Stage,
  Stamp,
} from '../../../runtime/index.js';
import { loadComponent } from '../../../sandbox/worker/component.js';
import type { FullFrame, Outcome } from '../../conformance/vectors.js';

const dist = new URL('../../../', import.meta.url);
const MEMORY = 16 << 20;

/** A built guest (path under dist/) as a stage in this thread: the fast path or the portable one. */
export async function loadStage(file: string, config: unknown, log: GuestLog = () => {}): Promise<Stage> {
  const bytes = await readFile(new URL(file, dist));
  const found = readManifest(bytes);
  const plugin = found?.manifest.name ?? file;
  const rules = defaultRules(plugin, MEMORY);
  if (moduleKind(bytes) === 'component') {
    const cache = fileURLToPath(new URL('.components', dist));
    const code = await new Transpiler(cache).transpile(plugin, bytes, found?.manifest.sha256 ?? plugin);
    const instance = new ObjectInstance((await loadComponent(code, rules)).instantiate(log), plugin);
    instance.configure(JSON.stringify(config));
    return { plugin, instance };
  }
  const kind = found?.manifest.kind ?? 'converter';
  const module = new WebAssembly.Module(admit(bytes, kind, rules).bytes);
  const instance = new CoreInstance(module, kind, plugin, log);
  instance.configure(JSON.stringify(config));
  return { plugin, instance };
}

/** Runs frames through a chain in this thread, with the packing, the slab and the checks of the product. */
export class DirectRunner {
  readonly #chain: Chain;
  readonly #slab = new Slab(new SharedArrayBuffer(8 << 20));
  readonly #records = new Uint32Array(LIMITS.batch * 10);
  readonly #header = new Int32Array(HEADER.words);
  readonly #topics = new Map<string, Interned>();
  /** Frames with the same list share it in the slab. */
  readonly #lists = new Map<FullFrame['properties'], Interned>();

  constructor(stages: readonly Stage[]) {
    this.#chain = new Chain(stages);
  }

  /** One batch; at most 1,024 frames. */
  run(frames: readonly FullFrame[]): Outcome[] {
    this.#pack(
      frames,
      frames.map(({ payload }) => Buffer.from(payload, 'hex')),
    );
    const out = this.#run();
    return frames.map((_, index) => readOutcome(out, index));
  }

  /** Nanoseconds a frame for a batch of `count` times the same frame: into the guest, call, checks, results out. */
  time(frame: FullFrame, count: number): number {
    const payload = Buffer.from(frame.payload, 'hex');
    this.#pack(
      Array.from({ length: count }, () => frame),
      Array.from({ length: count }, () => payload),
    );
    for (let round = 0; round < 200; round++) this.#run();
    const times = Array.from({ length: 51 }, () => {
      const began = process.hrtime.bigint();
      this.#run();
      return Number(process.hrtime.bigint() - began) / count;
    });
    return times.sort((one, other) => one - other)[25] as number;
  }

  #pack(frames: readonly FullFrame[], payloads: readonly Buffer[]): void {
    const writer = new FrameWriter(this.#slab, this.#records, this.#slab.size / 2);
    for (const [index, { source, topic, timestamp, properties }] of frames.entries()) {
      const bytes = payloads[index] as Buffer;
      const list = properties.length === 0 ? undefined : this.#list(properties);
      const at = Stamp.ofNanos(BigInt(timestamp));
      if (!writer.push(this.#text(source), this.#text(topic), at, bytes, 0, bytes.length, list))
        throw new Error('the batch does not fit');
    }
    writer.finish(this.#header, 0);
  }

  #run(): OutWriter {
    const word = (index: number): number => this.#header[index] as number;
    const count = word(HEADER.count);
    const out = new OutWriter(this.#slab, word(HEADER.inputEnd), count, LIMITS.output, grow);
    this.#chain.run(this.#slab, word(HEADER.dataEnd), word(HEADER.recordsAt), 0, count, out);
    return out;
  }

  #list(properties: FullFrame['properties']): Interned {
    const known = this.#lists.get(properties) ?? Interned.properties(properties);
    this.#lists.set(properties, known);
    return known;
  }

  #text(text: string): Interned {
    const known = this.#topics.get(text) ?? Interned.text(text);
    this.#topics.set(text, known);
    return known;
  }
}

function grow(slab: Slab, size: number): Slab {
  const larger = new Slab(new SharedArrayBuffer(size));
  larger.u8.set(slab.u8);
  return larger;
}

function readOutcome(out: OutWriter, index: number): Outcome {
  const { slab } = out;
  const outcome = new OutcomeCursor();
  const message = new MessageCursor();
  outcome.load(slab, out.outcomesAt, index);
  if (outcome.code !== undefined) return { fault: { code: outcome.code as never, text: outcome.text(slab) } };
  const text = (start: number, end: number): string => slab.u8.toString('utf8', start, end);
  const messages = Array.from({ length: outcome.messages }, (_, at) => {
    message.load(slab, outcome.offset + at * 48);
    return {
      topic: text(message.topicStart, message.topicEnd),
      payload: slab.u8.toString('hex', message.payloadStart, message.payloadEnd),
      timestamp: String((BigInt(message.timestampHigh) << 32n) | BigInt(message.timestampLow)),
      contentType: text(message.contentTypeStart, message.contentTypeEnd),
      qos: message.qos,
      retain: message.retain,
      properties: Array.from({ length: message.propertyCount }, (_unused, at): [string, string] => {
        message.property(at);
        return [text(message.keyStart, message.keyEnd), text(message.valueStart, message.valueEnd)];
      }),
    };
  });
  return { messages };
}
