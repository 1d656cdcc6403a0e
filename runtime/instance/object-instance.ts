import { BLOCK, BLOCK_RESULT, MESSAGE, PROPERTY, RESULT } from '../contract.js';
import { SluiceError } from '../errors.js';
import { badResult, guestError, stateRefused } from './guest-error.js';
import type { Instance, Items, Produced, SavedState } from './instance.js';
import {
  type BlockObject,
  type ConverterGuest,
  ERRNO_TAGS,
  FAULT_TAGS,
  type FaultObject,
  type FrameObject,
  type KernelGuest,
  type Property,
  type ResultObject,
  refusal,
} from './object-guest.js';
import { ObjectWriter } from './object-writer.js';

/**
 * A plugin behind objects: a component (portable path), or plain functions without any wasm (null
 * instance, for tests). Its results are laid out as a core module would, so that the chain, its checks
 * and the slab are the same for all.
 */
export class ObjectInstance implements Instance {
  readonly kind: 'converter' | 'kernel';
  readonly sharesInput = true;
  readonly #guest: ConverterGuest | KernelGuest;
  readonly #plugin: string;
  readonly #writer = new ObjectWriter();

  constructor(guest: ConverterGuest | KernelGuest, plugin: string) {
    this.kind = 'convert' in guest ? 'converter' : 'kernel';
    this.#guest = guest;
    this.#plugin = plugin;
  }

  configure(config: string): void {
    try {
      this.#guest.configure(config);
    } catch (thrown) {
      const fault = refusal(thrown) as FaultObject | undefined;
      if (fault === undefined) throw guestError(thrown, 'configure', this.#plugin);
      throw new SluiceError(
        'SLUICE_GUEST_CONFIG',
        `${this.#plugin} refused its configuration: ${fault.val}`,
        {
          step: 'configure',
          plugin: this.#plugin,
        },
      );
    }
  }

  run(items: Items): Produced {
    try {
      return this.kind === 'converter' ? this.#convert(items) : this.#process(items);
    } catch (thrown) {
      throw guestError(thrown, 'run', this.#plugin);
    }
  }

  flush(nowLow: number, nowHigh: number): Produced | undefined {
    if (this.#guest.flush === undefined) return undefined;
    try {
      const given = this.#guest.flush((BigInt(nowHigh) << 32n) | BigInt(nowLow));
      const writer = this.#writer;
      writer.at = 16;
      const list = writer.alloc(given.length * MESSAGE.size, MESSAGE.align);
      for (const [index, item] of given.entries()) {
        if ('payload' in item) writer.message(list + index * MESSAGE.size, item);
        else writer.block(list + index * BLOCK.size, item);
      }
      return this.#produced(0, list, given.length, undefined);
    } catch (thrown) {
      throw guestError(thrown, 'flush', this.#plugin);
    }
  }

  get memoryBytes(): number {
    return 0;
  }

  get isStateful(): boolean {
    return this.#guest.exportState !== undefined && this.#guest.importState !== undefined;
  }

  exportState(): SavedState {
    try {
      const [version, given] = this.#guest.exportState?.() ?? [0, new Uint8Array(0)];
      const bytes = new Uint8Array(new SharedArrayBuffer(given.length));
      bytes.set(given);
      return { version, bytes };
    } catch (thrown) {
      throw guestError(thrown, 'export-state', this.#plugin);
    }
  }

  importState({ version, bytes }: SavedState): void {
    try {
      this.#guest.importState?.(version, Uint8Array.from(bytes));
    } catch (thrown) {
      const fault = refusal(thrown) as FaultObject | undefined;
      if (fault === undefined) throw guestError(thrown, 'import-state', this.#plugin);
      throw stateRefused(this.#plugin, fault.val);
    }
  }

  #convert(items: Items): Produced {
    const frames = Array.from({ length: items.count }, (_, i) => frameObject(items, i));
    const results = (this.#guest as ConverterGuest).convert(frames);
    if (results.length !== items.count) {
      throw badResult(this.#plugin, `${results.length} results for ${items.count} frames`);
    }
    const writer = this.#begin(items);
    const list = writer.alloc(results.length * RESULT.size, 8);
    for (const [index, result] of results.entries()) this.#result(list + index * RESULT.size, result);
    return this.#produced(items.length, list, results.length, undefined);
  }

  #result(at: number, result: ResultObject): void {
    const writer = this.#writer;
    if (result.tag === 'err') {
      writer.u8[at] = 1;
      writer.u8[at + RESULT.fault] = FAULT_TAGS.indexOf(result.val.tag);
      writer.text(at + RESULT.text, result.val.val);
      return;
    }
    const list = writer.alloc(result.val.length * MESSAGE.size, MESSAGE.align);
    writer.u32[(at + RESULT.list) >> 2] = list;
    writer.u32[(at + RESULT.list + 4) >> 2] = result.val.length;
    for (const [index, message] of result.val.entries()) writer.message(list + index * MESSAGE.size, message);
  }

  #process(items: Items): Produced {
    const guest = this.#guest as KernelGuest;
    const answers = new Uint32Array(items.count);
    const blocks: (BlockObject | number)[] = [];
    for (let i = 0; i < items.count; i++) {
      try {
        blocks.push(guest.process(blockObject(items, i)));
      } catch (thrown) {
        const errno = ERRNO_TAGS.indexOf(refusal(thrown) as (typeof ERRNO_TAGS)[number]);
        if (errno < 0) throw thrown;
        blocks.push(errno);
      }
    }
    const writer = this.#begin(items);
    for (const [index, block] of blocks.entries()) {
      const at = writer.alloc(BLOCK_RESULT.size, BLOCK_RESULT.align);
      answers[index] = at;
      if (typeof block !== 'number') writer.block(at + BLOCK_RESULT.block, block);
      else {
        writer.u8[at] = 1;
        writer.u8[at + BLOCK_RESULT.errno] = block;
      }
    }
    return this.#produced(items.length, 0, blocks.length, answers);
  }

  /** Starts the memory with a copy of the input region, as in the arena of a core module. */
  #begin(items: Items): ObjectWriter {
    const writer = this.#writer;
    writer.at = 16;
    const base = writer.alloc(items.length + (items.tail?.length ?? 0), 16);
    writer.u8.set(items.u8.subarray(items.base, items.base + items.length), base);
    if (items.tail !== undefined) writer.u8.set(items.tail, base + items.length);
    return writer;
  }

  #produced(length: number, results: number, count: number, answers: Uint32Array | undefined): Produced {
    const { u8, u32, f64, at } = this.#writer;
    return {
      u8,
      u32,
      f64,
      base: 16,
      inputEnd: 16 + length,
      resultsStart: 16 + length,
      end: at,
      results,
      count,
      answers,
    };
  }
}

const decoder = new TextDecoder();

/** Bytes of an item, copied: the guest may keep or change them. */
function bytesAt(items: Items, at: number, length: number): Uint8Array {
  const tail = items.tail;
  if (tail !== undefined && at >= items.length)
    return Uint8Array.from(tail.subarray(at - items.length, at - items.length + length));
  return Uint8Array.from(items.u8.subarray(items.base + at, items.base + at + length));
}

function text(items: Items, at: number, length: number): string {
  return decoder.decode(bytesAt(items, at, length));
}

function stamp(items: Items, w: number): bigint {
  return (BigInt(items.records[w + 5] as number) << 32n) | BigInt(items.records[w + 4] as number);
}

function frameObject(items: Items, index: number): FrameObject {
  const r = items.records;
  const w = items.recordsAt + index * 10;
  const at = (n: number) => r[w + n] as number;
  return {
    source: text(items, at(0), at(1)),
    topic: text(items, at(2), at(3)),
    timestamp: stamp(items, w),
    payload: bytesAt(items, at(6), at(7)),
    properties: properties(items, at(8), at(9)),
  };
}

function properties(items: Items, list: number, count: number): Property[] {
  return Array.from({ length: count }, (_, i) => {
    const tuple = bytesAt(items, list + i * PROPERTY.size, PROPERTY.size);
    const words = new Uint32Array(tuple.buffer);
    const shift = items.tuplesBase;
    return [
      text(items, (words[0] as number) - shift, words[1] as number),
      text(items, (words[2] as number) - shift, words[3] as number),
    ];
  });
}

function blockObject(items: Items, index: number): BlockObject {
  const r = items.records;
  const w = items.recordsAt + index * 10;
  const at = (n: number) => r[w + n] as number;
  const data = bytesAt(items, at(6), at(7));
  return {
    source: text(items, at(0), at(1)),
    topic: text(items, at(2), at(3)),
    timestamp: stamp(items, w),
    rate: items.shape?.rate[index] ?? 0,
    channels: items.shape?.channels[index] ?? 1,
    data:
      items.shape?.format[index] === 1
        ? { tag: 'f32', val: new Float32Array(data.buffer) }
        : { tag: 'bytes', val: data },
  };
}
