import { readFileSync } from 'node:fs';
import {
  admit,
  Chain,
  CoreInstance,
  defaultRules,
  FrameWriter,
  HEADER,
  LIMITS,
  MessageCursor,
  OutcomeCursor,
  OutWriter,
  Slab,
  Stamp,
} from '../../../runtime/index.js';
import type { Variant } from './variant.js';
import { ADUS, FRAME_BYTES, FRAMES, SOURCE, type Tally, TOPIC_TEXT } from './work.js';

export const MODULE = new URL('../../../plugins/modbus-json.wasm', import.meta.url);
export const MEMORY = 16 << 20;

/** The same module, packing and reading in one thread: what the border is measured against. */
export class Direct implements Variant {
  readonly name = 'direct';
  readonly #chain: Chain;
  #slab = new Slab(new ArrayBuffer(LIMITS.slab));
  readonly #records = new Uint32Array(LIMITS.batch * 10);
  readonly #header = new Int32Array(HEADER.words);
  readonly #outcome = new OutcomeCursor();
  readonly #message = new MessageCursor();

  constructor() {
    const { bytes } = admit(readFileSync(MODULE), 'converter', defaultRules('modbus-json', MEMORY));
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    const instance = new CoreInstance(module, 'converter', 'modbus-json', () => {});
    instance.configure('{}');
    this.#chain = new Chain([{ plugin: 'modbus-json', instance }]);
  }

  async run(over: () => boolean, tally: Tally): Promise<number> {
    let frames = 0;
    for (; !over(); frames += FRAMES) {
      this.#pack();
      const out = this.#convert();
      for (let frame = 0; frame < FRAMES; frame++) this.#read(frame, out, tally);
    }
    return frames;
  }

  #pack(): void {
    const writer = new FrameWriter(this.#slab, this.#records, this.#slab.size / 2);
    const now = Stamp.ofMs(Date.now());
    for (const adu of ADUS) {
      if (!writer.push(SOURCE, TOPIC_TEXT, now, adu, 0, FRAME_BYTES, undefined))
        throw new Error('a batch does not fit into a slab');
    }
    writer.finish(this.#header, 0);
  }

  #convert(): OutWriter {
    const header = this.#header;
    const inputEnd = header[HEADER.inputEnd]!;
    const out = new OutWriter(this.#slab, inputEnd, FRAMES, LIMITS.output, enlarge);
    this.#chain.run(this.#slab, header[HEADER.dataEnd]!, header[HEADER.recordsAt]!, 0, FRAMES, out);
    this.#slab = out.slab;
    return out;
  }

  #read(frame: number, out: OutWriter, tally: Tally): void {
    const slab = this.#slab;
    this.#outcome.load(slab, out.outcomesAt, frame);
    const message = this.#message;
    message.load(slab, this.#outcome.offset);
    const { u8 } = slab;
    tally.take(frame, u8, message.topicStart, message.topicEnd, u8, message.payloadStart, message.payloadEnd);
  }
}

/** Once: what the results need beyond the first slab is kept, as the ring keeps it. */
function enlarge(slab: Slab, size: number): Slab {
  const larger = new Slab(new ArrayBuffer(size));
  larger.u8.set(slab.u8);
  return larger;
}
