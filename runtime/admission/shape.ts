import { SluiceError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { readSections, readU32, type Section } from '../wasm-sections.js';

/** What a core module declares about itself, read without compiling it. */
export interface ModuleShape {
  readonly sections: readonly Section[];
  /** `params:results` of each function type, for example `i32,i32:i32`. */
  readonly types: readonly string[];
  readonly imports: readonly { module: string; name: string; kind: ExternKind; type: string }[];
  readonly exports: ReadonlyMap<string, { kind: ExternKind; type: string }>;
  readonly memories: readonly Limits[];
  readonly tables: readonly Limits[];
  readonly hasTags: boolean;
}

export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
  readonly shared: boolean;
  readonly wide: boolean;
  /** Bytes of the file that hold flags, min and max. */
  readonly start: number;
  readonly end: number;
}

export type ExternKind = 'func' | 'table' | 'memory' | 'global' | 'tag';
const KINDS: readonly ExternKind[] = ['func', 'table', 'memory', 'global', 'tag'];
const VALUES: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
  112: 'funcref',
  111: 'externref',
};
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the declaring sections of a core module.
 * Source: WebAssembly core specification 5.3 (types), 5.5.4 to 5.5.10 (sections).
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MODULE_MALFORMED, SLUICE_MODULE_FEATURE
 */
export function readShape(bytes: Uint8Array): ModuleShape {
  const sections = readSections(bytes);
  const types: string[] = [];
  const imports: { module: string; name: string; kind: ExternKind; type: string }[] = [];
  const functions: string[] = [];
  const memories: Limits[] = [];
  const tables: Limits[] = [];
  const exports = new Map<string, { kind: ExternKind; type: string }>();
  for (const section of sections) {
    const cursor = new Cursor(bytes, section.start, section.end);
    if (section.id === 1) cursor.each(() => types.push(cursor.functionType()));
    if (section.id === 2) {
      cursor.each(() => {
        const module = cursor.name();
        const name = cursor.name();
        const kind = cursor.kind();
        const type = kind === 'func' ? (types[cursor.u32()] ?? '?') : cursor.externType(kind);
        if (kind === 'func') functions.push(type);
        imports.push({ module, name, kind, type });
      });
    }
    if (section.id === 3)
      cursor.each(() => functions.push(types[cursor.u32()] ?? cursor.fail('an unknown type')));
    if (section.id === 4) cursor.each(() => tables.push(cursor.table()));
    if (section.id === 5) cursor.each(() => memories.push(cursor.limits()));
    if (section.id === 7) {
      cursor.each(() => {
        const name = cursor.name();
        const kind = cursor.kind();
        const index = cursor.u32();
        exports.set(name, {
          kind,
          type: kind === 'func' ? (functions[index] ?? cursor.fail('an unknown function')) : kind,
        });
      });
    }
    if ([1, 2, 3, 4, 5, 7].includes(section.id)) cursor.done();
  }
  return { sections, types, imports, exports, memories, tables, hasTags: sections.some(s => s.id === 13) };
}

/** Reads one section; never past its end. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  fail(what: string): never {
    throw new SluiceError('SLUICE_MODULE_MALFORMED', `at byte ${this.#at}: ${what}`);
  }

  byte(): number {
    if (this.#at >= this.#end) this.fail('a section is cut off');
    return this.#bytes[this.#at++] as number;
  }

  u32(): number {
    const { value, next } = readU32(this.#bytes, this.#at, this.#end);
    this.#at = next;
    return value;
  }

  each(read: () => void, ceiling: number = LIMITS.entries): void {
    const count = this.u32();
    if (count > ceiling) this.fail(`${count} entries, the ceiling is ${ceiling}`);
    for (let left = count; left > 0; left--) read();
  }

  done(): void {
    if (this.#at !== this.#end) this.fail(`${this.#end - this.#at} bytes too many in a section`);
  }

  name(): string {
    const length = this.u32();
    if (length > this.#end - this.#at) this.fail('a name is cut off');
    const bytes = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    try {
      return decoder.decode(bytes);
    } catch {
      return this.fail('a name is not UTF-8');
    }
  }

  kind(): ExternKind {
    const byte = this.byte();
    return KINDS[byte] ?? this.fail(`an unknown kind of import or export (${byte})`);
  }

  functionType(): string {
    const form = this.byte();
    if (form !== 0x60) this.#feature(`garbage-collected types (0x${form.toString(16)})`);
    const list = () => {
      const values: string[] = [];
      this.each(() => values.push(this.value()), LIMITS.values);
      return values.join(',');
    };
    const parameters = list();
    return `${parameters}:${list()}`;
  }

  value(): string {
    const byte = this.byte();
    return VALUES[byte] ?? this.#feature(`the value type 0x${byte.toString(16)}`);
  }

  externType(kind: ExternKind): string {
    if (kind === 'table') this.table();
    else if (kind === 'memory') this.limits();
    else if (kind === 'global') {
      this.value();
      this.byte();
    } else {
      this.byte();
      this.u32();
    }
    return kind;
  }

  table(): Limits {
    if (this.#bytes[this.#at] === 0x40) this.#feature('tables with an initial value');
    this.value();
    return this.limits();
  }

  limits(): Limits {
    const start = this.#at;
    const flags = this.byte();
    if (flags > 7) this.fail(`unknown limits (0x${flags.toString(16)})`);
    const wide = (flags & 4) !== 0;
    if (wide) this.#feature('64-bit memories or tables');
    const min = this.u32();
    const max = (flags & 1) !== 0 ? this.u32() : undefined;
    return { min, max, shared: (flags & 2) !== 0, wide, start, end: this.#at };
  }

  #feature(what: string): never {
    throw new SluiceError(
      'SLUICE_MODULE_FEATURE',
      `at byte ${this.#at - 1}: ${what}, which plugins may not use`,
    );
  }
}
