import type { OutWriter } from '../batch/out-writer.js';
import type { Slab } from '../batch/slab.js';
import type { Instance, Items, Produced } from '../instance/instance.js';
import { shapeAsProperties } from './block-properties.js';
import { collectBlocks, collectFlushedBlocks, collectMessages, collectResults, Gathered } from './collect.js';
import { emitItems, emitMessages, emitResults, type Target } from './emit.js';

export interface Stage {
  readonly plugin: string;
  readonly instance: Instance;
}

/** Told before each call into a guest, so that a watcher can name the stage that hangs; -1: outside. */
export type OnCall = (stage: number) => void;

/**
 * Converters and kernels that run left to right in one sandbox. Between two modules there is one memcpy.
 * A frame leaves whole or is refused whole: a fault at any stage is the outcome of the frame.
 */
export class Chain {
  readonly #stages: readonly Stage[];
  readonly #onCall: OnCall;
  readonly #gathered: readonly [Gathered, Gathered] = [new Gathered(), new Gathered()];
  readonly #input: Items;
  #identity = new Uint32Array(0);
  #faulted = new Uint8Array(0);

  constructor(stages: readonly Stage[], onCall: OnCall = () => {}) {
    this.#stages = stages;
    this.#onCall = onCall;
    this.#input = {
      u8: new Uint8Array(0),
      base: 0,
      length: 0,
      records: new Uint32Array(0),
      recordsAt: 0,
      count: 0,
      tail: undefined,
      shape: undefined,
      tuplesBase: 0,
    };
  }

  /**
   * Runs frames [from, to) of a slab through all stages and writes their outcomes.
   * @param input the slab as it was published; `out` may have moved to a larger copy of it
   * @throws SluiceError a guest fault; the outcomes of these frames are then not final
   */
  run(input: Slab, dataEnd: number, recordsAt: number, from: number, to: number, out: OutWriter): void {
    const items = this.#input;
    const count = to - from;
    items.u8 = input.u8;
    items.length = dataEnd;
    items.records = input.u32;
    items.recordsAt = (recordsAt >> 2) + from * 10;
    items.count = count;
    if (this.#identity.length < to) this.#identity = Uint32Array.from({ length: to * 2 }, (_, i) => i);
    if (this.#faulted.length < to) this.#faulted = new Uint8Array(to * 2);
    this.#faulted.fill(0, from, to);
    out.clear(from, to);
    this.#walk(0, items, this.#identity.subarray(from, to), this.#faulted, out);
  }

  /**
   * Asks every stage for what it holds back; outcome k is what stage k gave out.
   * @param keeps bit k: stage k keeps what it has, for the instance that goes on with its state
   */
  flush(nowLow: number, nowHigh: number, out: OutWriter, keeps = 0): void {
    const last = this.#stages.length - 1;
    const faulted = new Uint8Array(this.#stages.length);
    for (const [index, stage] of this.#stages.entries()) {
      out.messages(index, 0, 0);
      if (((keeps >>> index) & 1) === 1) continue;
      const produced = this.#call(index, () => stage.instance.flush(nowLow, nowHigh));
      if (produced === undefined || produced.count === 0) continue;
      const target = this.#target(index, Uint32Array.of(index), faulted, out);
      const kernel = stage.instance.kind === 'kernel';
      if (index === last && !kernel) {
        emitMessages(produced, target);
        continue;
      }
      const next = this.#gathered[0];
      if (kernel) collectFlushedBlocks(produced, target, next);
      else collectMessages(produced, target, next);
      if (index === last) emitItems(next, { ...target, origins: next.origins });
      else this.#walk(index + 1, next, next.origins, faulted, out);
    }
  }

  #walk(first: number, start: Items, origins: Uint32Array, faulted: Uint8Array, out: OutWriter): void {
    const last = this.#stages.length - 1;
    let items = start;
    let origin = origins;
    for (let index = first; index <= last; index++) {
      if (items.count === 0) return;
      const { instance } = this.#stages[index] as Stage;
      if (instance.kind === 'converter' && items.shape !== undefined) shapeAsProperties(items as Gathered);
      const produced = this.#call(index, () => instance.run(items)) as Produced;
      const target = this.#target(index, origin, faulted, out);
      if (index === last && instance.kind === 'converter') {
        emitResults(produced, target);
        return;
      }
      const next = items === this.#gathered[0] ? this.#gathered[1] : this.#gathered[0];
      if (instance.kind === 'kernel') collectBlocks(produced, items, target, next);
      else collectResults(produced, items, target, next);
      if (index === last) emitItems(next, { ...target, origins: next.origins });
      items = next;
      origin = next.origins;
    }
  }

  #call<T>(stage: number, call: () => T): T {
    this.#onCall(stage);
    const result = call();
    this.#onCall(-1);
    return result;
  }

  #target(stage: number, origins: Uint32Array, faulted: Uint8Array, out: OutWriter): Target {
    const { plugin, instance } = this.#stages[stage] as Stage;
    return { out, origins, faulted, stage, plugin, shared: stage === 0 && instance.sharesInput };
  }
}
