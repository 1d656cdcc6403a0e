import { SluiceError } from '../../errors.js';
import { readSections } from '../../wasm-sections.js';

/** What a component says of itself: its own names, and the core modules that its code is in. */
export interface ComponentParts {
  /** `name (kind)`. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Those in components inside of it too, in the order of the file. */
  readonly modules: readonly Uint8Array[];
}

/** Section ids, component-model, Binary.md, "Component Definitions". */
const SECTION = { module: 1, component: 4, canon: 8, import: 10, export: 11 } as const;
/** The sort of an import or export ("externdesc", "sort"); 0 is a core module. */
const KINDS = ['module', 'func', 'value', 'type', 'component', 'instance'];

/** Of canonical definitions ("canon", "canonopt"): what lifts, lowers, and makes, drops and reads a handle of a resource. */
const CANON = { lift: 0, lower: 1, lastOfHandles: 4 } as const;
/** utf8, utf16 and latin1 say no more; memory, realloc and post-return name something. What is behind them is asynchronous. */
const OPTION = { lastPlain: 2, lastOfIndex: 5 } as const;

/** Components inside components, as deep as tools take them. */
const DEEPEST = 100;

/**
 * Reads names and core modules: types are stepped over, and of components inside the names are left out.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, _MALFORMED, _CEILING; SLUICE_MODULE_FEATURE: it has asynchronous functions
 */
export function readComponent(bytes: Uint8Array, depth = 0): ComponentParts {
  const imports: string[] = [];
  const exports: string[] = [];
  const modules: Uint8Array[] = [];
  for (const { id, start, end } of readSections(bytes)) {
    if (id === SECTION.module) modules.push(bytes.subarray(start, end));
    if (id === SECTION.component) modules.push(...insideOf(bytes.subarray(start, end), depth + 1));
    if (id === SECTION.canon) new Reader(bytes, start, end).canons();
    if (id !== SECTION.import && id !== SECTION.export) continue;
    const reader = new Reader(bytes, start, end);
    for (let left = reader.u32(); left > 0; left--) {
      const name = reader.name();
      if (id === SECTION.import) imports.push(`${name} (${reader.description()})`);
      else exports.push(`${name} (${reader.exported()})`);
    }
  }
  return { imports, exports, modules };
}

function insideOf(component: Uint8Array, depth: number): readonly Uint8Array[] {
  if (depth <= DEEPEST) return readComponent(component, depth).modules;
  throw new SluiceError('SLUICE_MODULE_CEILING', `components nested more than ${DEEPEST} deep`);
}

const decoder = new TextDecoder();

class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  byte(): number {
    if (this.#at >= this.#end) this.#fail('a section is cut off');
    return this.#bytes[this.#at++] as number;
  }

  /** LEB128, at most five bytes. */
  u32(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return this.#fail('an integer does not fit 32 bits');
  }

  /** A name with its one byte of form in front. */
  name(): string {
    if (this.byte() > 1) this.#fail('an unknown form of a name');
    const length = this.u32();
    if (length > this.#end - this.#at) this.#fail('a name is cut off');
    this.#at += length;
    return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
  }

  /** An externdesc; its kind. */
  description(): string {
    const sort = this.byte();
    // A core module (00 11 i), a type by equality (03 00 i) or as a resource (03 01), a value (02 00 i or 02 01 type).
    if (sort === 0) this.byte();
    const isOpen = (sort === 2 || sort === 3) && this.byte() === 1;
    if (!isOpen || sort === 2) this.u32();
    return this.#kind(sort);
  }

  /** A sortidx and perhaps an externdesc; the kind. */
  exported(): string {
    const sort = this.byte();
    if (sort === 0) this.byte();
    this.u32();
    if (this.byte() === 1) this.description();
    return this.#kind(sort);
  }

  /** Steps over canonical definitions. @throws SluiceError SLUICE_MODULE_FEATURE: one that is not over when it returns */
  canons(): void {
    for (let left = this.u32(); left > 0; left--) {
      const at = this.#at;
      const kind = this.byte();
      if (kind > CANON.lastOfHandles) this.#waits(at);
      if (kind > CANON.lower) {
        this.u32();
        continue;
      }
      // The sort, which is a function.
      this.byte();
      this.u32();
      for (let options = this.u32(); options > 0; options--) {
        const option = this.byte();
        if (option > OPTION.lastOfIndex) this.#waits(at);
        if (option > OPTION.lastPlain) this.u32();
      }
      if (kind === CANON.lift) this.u32();
    }
  }

  #waits(at: number): never {
    throw new SluiceError(
      'SLUICE_MODULE_FEATURE',
      `at byte ${at}: an asynchronous function: no policy allows it, as a deadline holds a call and not what goes on behind it; build it without async`,
    );
  }

  #kind(sort: number): string {
    return KINDS[sort] ?? this.#fail(`an unknown kind of import or export (${sort})`);
  }

  #fail(why: string): never {
    throw new SluiceError('SLUICE_MODULE_MALFORMED', `at byte ${this.#at}: ${why}`);
  }
}
