import { LIMITS } from '../../limits.js';
import { moduleKind, readSections, type Section } from '../../wasm-sections.js';
import { quote } from '../quote.js';
import { CodeReader } from './code.js';
import { ConstantReader } from './constant.js';
import { readGlobalType, readKind, readMemoryType, readTableType, readTagType } from './extern-types.js';
import type { ExportFact, ExternKind, ImportFact, Limits, Peak } from './facts.js';
import { malformed } from './leb.js';
import { Reader } from './reader.js';
import { readData, readElements } from './segments.js';
import { Features, type Tally } from './tally.js';
import { readTypes } from './types.js';
import { TypeReader } from './value-types.js';

/** A table whose entries begin with a value: this byte, then zero. */
const INITIALISED = 0x40;
const NO_FUNCTIONS = new Uint32Array(0);
const NOTHING: Peak = { value: 0, offset: 0 };

/**
 * One pass over a core module, section by section as they stand in the file (core specification 5.5). What it found
 * lies in its fields; instructions are counted in the tally.
 */
export class ModuleReader {
  readonly sections: readonly Section[];
  readonly features = new Features();
  types: readonly string[] = [];
  readonly imports: ImportFact[] = [];
  readonly exports = new Map<string, ExportFact>();
  readonly memories: Limits[] = [];
  readonly tables: Limits[] = [];
  globals = 0;
  tags = 0;
  start: number | undefined;
  elements = { segments: 0, entries: 0 };
  data = { segments: 0, bytes: 0 };
  custom = { sections: 0, bytes: 0 };
  body = NOTHING;
  nesting = NOTHING;
  locals = NOTHING;
  /** Types of the functions with a body. */
  functionTypes = NO_FUNCTIONS;
  /** Size of each index space so far, imports included. */
  readonly #space: Record<ExternKind, number> = { func: 0, table: 0, memory: 0, global: 0, tag: 0 };
  /** Function types of imported functions. */
  readonly #imported: number[] = [];
  readonly #importedMemories: Limits[] = [];
  readonly #importedTables: undefined[] = [];
  #bodies = 0;
  #dataCount: { readonly count: number; readonly offset: number } | undefined;
  readonly #bytes: Uint8Array;
  readonly #tally: Tally;
  readonly #values = new TypeReader(this.features);
  readonly #constants: ConstantReader;

  /**
   * Reads all of it.
   * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MODULE_MALFORMED, SLUICE_MODULE_FEATURE, SLUICE_MODULE_CEILING
   */
  constructor(bytes: Uint8Array, tally: Tally) {
    this.#bytes = bytes;
    this.#tally = tally;
    this.#constants = new ConstantReader(this.#values, tally, this.features);
    if (moduleKind(bytes) !== 'core') malformed(4, 'a component, where a core module is read');
    this.sections = readSections(bytes);
    for (const section of this.sections) this.#section(section);
    if (this.#bodies !== this.functionTypes.length) {
      malformed(
        bytes.length,
        `${this.functionTypes.length} functions are declared, ${this.#bodies} have a body`,
      );
    }
    const declared = this.#dataCount;
    if (declared !== undefined && declared.count !== this.data.segments) {
      malformed(
        declared.offset,
        `${declared.count} data segments are declared, ${this.data.segments} are there`,
      );
    }
  }

  #section({ id, offset, start, end }: Section): void {
    if (id === 0) {
      this.custom.sections++;
      this.custom.bytes += end - offset;
      return;
    }
    const reader = new Reader(this.#bytes, start, end);
    if (id === 1) this.types = readTypes(reader, this.#values, this.features);
    else if (id === 2) this.#readImports(reader);
    else if (id === 3) this.#readFunctions(reader);
    else if (id === 4) this.#readTables(reader);
    else if (id === 5) this.#readMemories(reader);
    else if (id === 6) this.#readGlobals(reader);
    else if (id === 7) this.#readExports(reader);
    else if (id === 8) this.#readStart(reader);
    else if (id === 9) this.#readElements(reader);
    else if (id === 10) this.#readCode(reader);
    else if (id === 11) this.#readData(reader);
    else if (id === 12) this.#readDataCount(reader, offset);
    else this.#readTags(reader);
    reader.done();
  }

  #readImports(reader: Reader): void {
    for (let left = reader.count(LIMITS.imports, 'imports'); left > 0; left--) {
      const { at } = reader;
      const module = reader.name();
      const name = reader.name();
      const kind = readKind(reader);
      const limits = this.#importType(reader, kind, at);
      const type = kind === 'func' ? this.types[this.#imported.at(-1)!]! : kind;
      this.imports.push(
        limits === undefined ? { module, name, kind, type } : { module, name, kind, type, limits },
      );
      this.#space[kind]++;
    }
  }

  #importType(reader: Reader, kind: ExternKind, at: number): Limits | undefined {
    if (kind === 'func') this.#imported.push(this.#typeIndex(reader));
    else if (kind === 'global') readGlobalType(reader, this.#values);
    else if (kind === 'tag') readTagType(reader, this.features);
    else if (kind === 'table') {
      const limits = readTableType(reader, this.#values, this.features);
      this.#importedTables.push(undefined);
      return limits;
    } else {
      const limits = readMemoryType(reader, this.features);
      this.#importedMemories.push(limits);
      if (this.#importedMemories.length > 1) this.features.note('multi-memory', at);
      return limits;
    }
    return undefined;
  }

  #typeIndex(reader: Reader): number {
    const { at } = reader;
    const index = reader.u32();
    if (index >= this.types.length) reader.fail(`an unknown type (${index})`, at);
    return index;
  }

  #readFunctions(reader: Reader): void {
    const count = reader.count(LIMITS.functions, 'functions');
    this.functionTypes = new Uint32Array(count);
    for (let index = 0; index < count; index++) this.functionTypes[index] = this.#typeIndex(reader);
    this.#space.func += count;
  }

  #readTables(reader: Reader): void {
    for (let left = reader.count(LIMITS.declared, 'tables'); left > 0; left--) {
      const { at } = reader;
      const initialised = reader.peek() === INITIALISED;
      if (initialised) {
        this.features.note('function-references', at);
        reader.at++;
        if (reader.byte() !== 0) reader.fail('an unknown form of table', at);
      }
      this.tables.push(readTableType(reader, this.#values, this.features));
      if (initialised) this.#constants.read(reader);
      if (++this.#space.table > 1) this.features.note('reference-types', at);
    }
  }

  #readMemories(reader: Reader): void {
    for (let left = reader.count(LIMITS.declared, 'memories'); left > 0; left--) {
      const { at } = reader;
      this.memories.push(readMemoryType(reader, this.features));
      if (++this.#space.memory > 1) this.features.note('multi-memory', at);
    }
  }

  #readTags(reader: Reader): void {
    this.tags = reader.length('tags');
    for (let left = this.tags; left > 0; left--) readTagType(reader, this.features);
    this.#space.tag += this.tags;
  }

  #readGlobals(reader: Reader): void {
    this.globals = reader.length('globals');
    for (let left = this.globals; left > 0; left--) {
      readGlobalType(reader, this.#values);
      this.#constants.read(reader);
    }
    this.#space.global += this.globals;
  }

  #readExports(reader: Reader): void {
    for (let left = reader.count(LIMITS.exports, 'exports'); left > 0; left--) {
      const { at } = reader;
      const name = reader.name();
      const kind = readKind(reader);
      const index = reader.u32();
      if (index >= this.#space[kind]) reader.fail(`an export of an unknown ${kind} (${index})`, at);
      if (this.exports.has(name)) reader.fail(`${quote(name, 64)} is exported twice`, at);
      this.exports.set(name, { kind, type: kind === 'func' ? this.#functionType(index) : kind });
    }
  }

  #functionType(index: number): string {
    const imported = this.#imported.length;
    const type = index < imported ? this.#imported[index]! : this.functionTypes[index - imported]!;
    return this.types[type]!;
  }

  #readStart(reader: Reader): void {
    const { at } = reader;
    this.start = reader.u32();
    if (this.start >= this.#space.func) reader.fail(`the start function ${this.start} is not there`, at);
  }

  #readElements(reader: Reader): void {
    const tables = [...this.#importedTables, ...this.tables];
    this.elements = readElements(reader, tables, this.#constants, this.#values, this.features);
  }

  #readDataCount(reader: Reader, offset: number): void {
    this.features.note('bulk-memory', offset);
    this.#dataCount = { count: reader.u32(), offset };
  }

  #readCode(reader: Reader): void {
    const { at } = reader;
    const count = reader.length('function bodies');
    if (count !== this.functionTypes.length) {
      reader.fail(`${this.functionTypes.length} functions are declared, ${count} have a body`, at);
    }
    const memories = [...this.#importedMemories, ...this.memories];
    const code = new CodeReader(reader, this.#tally, this.features, this.#values, memories);
    const first = this.#imported.length;
    for (let index = 0; index < count; index++) code.function(first + index);
    this.#bodies = count;
    ({ body: this.body, nesting: this.nesting, locals: this.locals } = code);
  }

  #readData(reader: Reader): void {
    const memories = [...this.#importedMemories.map(() => undefined), ...this.memories];
    this.data = readData(reader, memories, this.#constants, this.features);
  }
}
