import { LENT_MEMORY } from '../admission/lend-memory.js';
import {
  ARENA_EXPORTS,
  BLOCK_RESULT,
  FAULT_CODES,
  LEVELS,
  LOG_IMPORT,
  MESSAGE,
  RESULT,
  STATE,
} from '../contract.js';
import { SluiceError, type Step } from '../errors.js';
import { Arena, type ArenaExports } from './arena.js';
import { badResult, guestError, stateRefused } from './guest-error.js';
import type { GuestLog, Instance, Items, Produced, SavedState } from './instance.js';
import type { Room } from './room.js';

type Call = (...values: (number | bigint)[]) => number;

interface GuestExports extends ArenaExports {
  configure(config: number, length: number): number;
  convert?: Call;
  process?: Call;
  flush?: Call;
  'export-state'?: Call;
  'import-state'?: Call;
}

const stamp = new BigUint64Array(1);
const stampWords = new Uint32Array(stamp.buffer);

/** Two words as the BigInt that the JavaScript API asks for in place of an i64. */
function u64(low: number, high: number): bigint {
  stampWords[0] = low;
  stampWords[1] = high;
  return stamp[0] as bigint;
}

/**
 * A core module on the fast path. One batch is: lend an arena, one memcpy in, call, read in place.
 * After any error the instance is stale (its stack pointer and heap may be anything): throw it away.
 */
export class CoreInstance implements Instance {
  readonly kind: 'converter' | 'kernel';
  readonly sharesInput = true;
  readonly #plugin: string;
  readonly #exports: GuestExports;
  readonly #arena: Arena;

  /**
   * Instantiates: link and start.
   * @param room where its memory is, if the module is to be given one @throws SluiceError
   */
  constructor(
    module: WebAssembly.Module,
    kind: 'converter' | 'kernel',
    plugin: string,
    log: GuestLog,
    room?: Room,
  ) {
    this.kind = kind;
    this.#plugin = plugin;
    let memory: WebAssembly.Memory | undefined;
    const imports: Record<string, Record<string, unknown>> = {
      [LOG_IMPORT.module]: {
        [LOG_IMPORT.name]: (level: number, at: number, length: number) => {
          // Before start has returned there is no memory to read from.
          if (memory === undefined || at < 0 || length < 0 || LEVELS[level] === undefined) return;
          log(level, Buffer.from(memory.buffer).toString('utf8', at, at + Math.min(length, 1024)));
        },
      },
    };
    try {
      if (room !== undefined) imports[LENT_MEMORY.module] = { [LENT_MEMORY.name]: room.next() };
      this.#exports = new WebAssembly.Instance(module, imports).exports as unknown as GuestExports;
    } catch (thrown) {
      throw guestError(thrown, thrown instanceof WebAssembly.LinkError ? 'link' : 'start', plugin);
    }
    memory = this.#exports.memory;
    for (const name of Object.keys(ARENA_EXPORTS)) {
      if (!(name in this.#exports)) {
        throw new SluiceError('SLUICE_MODULE_EXPORT', `${plugin} does not export ${name}`, {
          step: 'link',
          plugin,
        });
      }
    }
    this.#arena = this.#guarded('start', () => new Arena(this.#exports, plugin));
  }

  configure(config: string): void {
    this.#guarded('configure', () => {
      const bytes = Buffer.from(config, 'utf8');
      const base = this.#arena.begin(bytes.length);
      this.#arena.u8.set(bytes, base);
      const refusal = this.#refusal(this.#exports.configure(base, bytes.length), 'configure');
      if (refusal === undefined) return;
      const { code, said } = refusal;
      throw new SluiceError(
        'SLUICE_GUEST_CONFIG',
        `${this.#plugin} refused its configuration: ${said} (${code})`,
        {
          step: 'configure',
          plugin: this.#plugin,
        },
      );
    });
  }

  run(items: Items): Produced {
    try {
      return this.kind === 'converter' ? this.#convert(items) : this.#process(items);
    } catch (thrown) {
      throw guestError(thrown, 'run', this.#plugin);
    }
  }

  flush(nowLow: number, nowHigh: number): Produced | undefined {
    const flush = this.#exports.flush;
    if (flush === undefined) return undefined;
    return this.#guarded('flush', () => {
      this.#arena.begin(0);
      const answer = flush(u64(nowLow, nowHigh));
      const produced = this.#arena.close();
      // A message and a block have the same size and alignment.
      this.#list(produced, answer, MESSAGE.size, MESSAGE.align);
      produced.answers = undefined;
      return produced;
    });
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  get isStateful(): boolean {
    return this.#exports['export-state'] !== undefined;
  }

  exportState(): SavedState {
    return this.#guarded('export-state', () => {
      this.#arena.begin(0);
      const answer = (this.#exports['export-state'] as Call)();
      const { u8, u32, base, end } = this.#arena.close();
      const at = this.#arena.returnArea(answer, STATE.size, STATE.align);
      const from = u32[(at + STATE.bytes) >> 2] as number;
      const length = u32[(at + STATE.bytes + 4) >> 2] as number;
      if (length > 0 && (from < base || from + length > end)) {
        const what = `a state of ${length} bytes at ${from}, outside of its arena [${base}, ${end})`;
        throw badResult(this.#plugin, what, 'export-state');
      }
      const bytes = new Uint8Array(new SharedArrayBuffer(length));
      bytes.set(u8.subarray(from, from + length));
      return { version: u32[(at + STATE.version) >> 2] as number, bytes };
    });
  }

  importState({ version, bytes }: SavedState): void {
    this.#guarded('import-state', () => {
      const base = this.#arena.begin(bytes.length);
      this.#arena.u8.set(bytes, base);
      const answer = (this.#exports['import-state'] as Call)(version, base, bytes.length);
      const refusal = this.#refusal(answer, 'import-state');
      if (refusal !== undefined) throw stateRefused(this.#plugin, `${refusal.said} (${refusal.code})`);
    });
  }

  /** Reads a result<_, fault>. */
  #refusal(answer: number, step: Step): { code: string; said: string } | undefined {
    const produced = this.#arena.close();
    const at = this.#arena.returnArea(answer, RESULT.size, RESULT.align);
    if (produced.u8[at] === 0) return undefined;
    const code = FAULT_CODES[produced.u32[(at + RESULT.fault) >> 2] as number] ?? 'SLUICE_GUEST_CONFIG';
    const text = produced.u32[(at + RESULT.text) >> 2] as number;
    const length = produced.u32[(at + RESULT.text + 4) >> 2] as number;
    if (length > 0 && (text < produced.base || text + length > produced.end))
      throw badResult(this.#plugin, 'a fault whose text lies outside of the arena', step);
    const said = Buffer.from(produced.u8.buffer).toString('utf8', text, text + Math.min(length, 1024));
    return { code, said };
  }

  #convert(items: Items): Produced {
    const frames = this.#arena.lend(items);
    const answer = (this.#exports.convert as Call)(frames, items.count);
    const produced = this.#arena.close();
    this.#list(produced, answer, RESULT.size, RESULT.align);
    if (produced.count !== items.count) {
      throw badResult(this.#plugin, `${produced.count} results for ${items.count} frames`);
    }
    return produced;
  }

  /** A kernel is called block by block in one arena; the addresses of its answers are kept in a table. */
  #process(items: Items): Produced {
    const process = this.#exports.process as Call;
    let record = this.#arena.lend(items) >> 2;
    const { shape } = items;
    const answers = new Uint32Array(items.count);
    for (let i = 0; i < items.count; i++, record += 10) {
      const w = this.#arena.u32;
      const format = shape?.format[i] ?? 0;
      const bytes = w[record + 7] as number;
      answers[i] = process(
        w[record] as number,
        w[record + 1] as number,
        w[record + 2] as number,
        w[record + 3] as number,
        u64(w[record + 4] as number, w[record + 5] as number),
        shape?.rate[i] ?? 0,
        shape?.channels[i] ?? 1,
        format,
        w[record + 6] as number,
        format === 0 ? bytes : bytes >> 2,
      );
      // The guest may have grown its memory: close() takes fresh views before the next record is read.
      this.#arena.close();
    }
    const produced = this.#arena.close();
    for (const answer of answers) this.#arena.returnArea(answer, BLOCK_RESULT.size, BLOCK_RESULT.align);
    produced.count = items.count;
    produced.answers = answers;
    return produced;
  }

  /** Reads a return area that holds a list, and checks that the list lies in the results. */
  #list(produced: Produced, answer: number, size: number, align: number): void {
    const at = this.#arena.returnArea(answer, 8, 4);
    const list = produced.u32[at >> 2] as number;
    const count = produced.u32[(at >> 2) + 1] as number;
    produced.results = list;
    produced.count = count;
    if (count === 0) return;
    if (list % align !== 0 || list < produced.resultsStart || list + count * size > produced.end) {
      throw badResult(
        this.#plugin,
        `a list of ${count} entries at ${list}, outside of its results [${produced.resultsStart}, ${produced.end})`,
      );
    }
  }

  #guarded<T>(step: Step, call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      throw guestError(thrown, step, this.#plugin);
    }
  }
}
