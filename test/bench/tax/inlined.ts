import { readFileSync } from 'node:fs';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import type { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import type { Ingress, Source } from '../../../host/sources/source.js';
import {
  admit,
  Chain,
  CoreInstance,
  defaultRules,
  FrameWriter,
  HEADER,
  Interned,
  LIMITS,
  MessageCursor,
  OutcomeCursor,
  OutWriter,
  Slab,
  type Stamp,
} from '../../../runtime/index.js';
import type { Counts, Path } from './path.js';

const MODULE = new URL('../../../plugins/modbus-json.wasm', import.meta.url);

/** What a Modbus source uses of its ingress. */
type Used = Pick<Ingress, 'topic' | 'properties' | 'hasRoom' | 'push' | 'skipped' | 'failed' | 'connected'>;

/**
 * The same work without a sandbox: frames are packed as they come, converted on the spot at the end of the
 * turn by the same module in this thread, and written to the sink. No thread, no deadline, no accounting.
 */
export class Inlined implements Path, Used {
  #frames = 0;
  #missed = 0;
  #modbus: Source | undefined;
  readonly #sink: MqttSink;
  readonly #chain: Chain;
  readonly #source: Interned;
  readonly #topics: Interned[] = [];
  readonly #properties: Interned[] = [];
  readonly #slab = new Slab(new ArrayBuffer(LIMITS.slab * 4));
  readonly #records = new Uint32Array(LIMITS.batch * 10);
  readonly #header = new Int32Array(HEADER.words);
  readonly #outcome = new OutcomeCursor();
  readonly #message = new MessageCursor();
  readonly #ticket = {
    done: () => {},
    dropped: (count: number) => this.skipped('', count),
    spooled: () => {},
  };
  readonly #id = new FrameId(new Origins('bench', '1').make('bench', 'line1', false));
  #writer: FrameWriter | undefined;
  #scheduled = false;
  #out: OutWriter | undefined;
  /** Next frame to be written to the sink, and one behind the last. */
  #frame = 0;
  #end = 0;

  constructor(name: string, sink: MqttSink) {
    this.#sink = sink;
    this.#source = Interned.text(name);
    const { bytes } = admit(readFileSync(MODULE), 'converter', defaultRules('modbus-json', 16 << 20));
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    const instance = new CoreInstance(module, 'converter', 'modbus-json', () => {});
    instance.configure('{}');
    this.#chain = new Chain([{ plugin: 'modbus-json', instance }]);
    sink.onRoom = () => {
      if (this.#deliver()) this.#modbus?.resume();
    };
  }

  get ingress(): Ingress {
    return this as Used as Ingress;
  }

  connect(source: Source): void {
    this.#modbus = source;
  }

  async counts(): Promise<Counts> {
    return { frames: this.#frames, missed: this.#missed };
  }

  topic(text: string): number {
    return this.#topics.push(Interned.text(text)) - 1;
  }

  properties(list: readonly (readonly [string, string])[]): number {
    return this.#properties.push(Interned.properties(list)) - 1;
  }

  hasRoom(): boolean {
    return this.#frame === this.#end;
  }

  push(topic: number, time: Stamp, bytes: Uint8Array, start: number, end: number, properties = 0): number {
    if (!this.hasRoom()) return 0;
    this.#writer ??= new FrameWriter(this.#slab, this.#records, this.#slab.size / 2);
    const list = this.#properties[properties];
    if (!this.#writer.push(this.#source, this.#topics[topic]!, time, bytes, start, end, list)) {
      this.#convert();
      return this.push(topic, time, bytes, start, end, properties);
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#endTurn);
    }
    return ++this.#frames;
  }

  skipped(_code: string, count = 1): void {
    this.#missed += count;
  }

  connected(): void {}

  failed(): void {
    this.#missed++;
  }

  async drain(): Promise<void> {
    this.#convert();
  }

  async close(): Promise<void> {}

  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.#convert();
  };

  #convert(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    const header = this.#header;
    const { count } = writer;
    writer.finish(header, 0);
    const out = new OutWriter(this.#slab, header[HEADER.inputEnd]!, count, LIMITS.output, () => {
      throw new Error('the results do not fit into a slab');
    });
    this.#chain.run(this.#slab, header[HEADER.dataEnd]!, header[HEADER.recordsAt]!, 0, count, out);
    this.#out = out;
    this.#frame = 0;
    this.#end = count;
    this.#deliver();
  }

  /** False: the sink is full, and calls back. */
  #deliver(): boolean {
    for (; this.#frame < this.#end; this.#frame++) {
      this.#outcome.load(this.#slab, this.#out!.outcomesAt, this.#frame);
      if (this.#outcome.code !== undefined) throw new Error(`a frame was refused: ${this.#outcome.code}`);
      this.#message.load(this.#slab, this.#outcome.offset);
      if (!this.#sink.write(this.#message, this.#ticket, this.#id)) return false;
    }
    this.#sink.flush();
    return true;
  }
}
