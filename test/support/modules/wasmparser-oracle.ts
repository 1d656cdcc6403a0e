import { BinaryReader, OperatorCodeNames } from 'wasmparser';

/** What wasmparser says of a module; in the terms of the scanner's facts, as far as it knows. */
export interface OracleFacts {
  readonly imports: readonly {
    readonly module: string;
    readonly name: string;
    readonly kind: string;
    readonly limits: OracleLimits | undefined;
  }[];
  readonly exports: readonly (readonly [name: string, kind: string])[];
  readonly memories: readonly OracleLimits[];
  readonly tables: readonly OracleLimits[];
  readonly globals: number;
  readonly functions: number;
  readonly data: number;
  readonly opcodes: ReadonlyMap<string, number>;
}

interface OracleLimits {
  readonly min: number;
  readonly max: number | undefined;
}

/** States of its reader: they are a `const enum` there, which is gone at run time. */
const STATE = {
  error: -1,
  endWasm: 2,
  import: 12,
  table: 14,
  memory: 15,
  export: 17,
  initOperator: 26,
  beginFunction: 28,
  codeOperator: 30,
  beginData: 36,
  beginGlobal: 39,
  offsetOperator: 45,
  endElement: 35,
  beginElement: 33,
} as const;
const KINDS = ['func', 'table', 'memory', 'global', 'tag'];
/** Element segments that list functions: it makes instructions of them, which are not in the file. */
const LISTS_FUNCTIONS = 4;

/** Names that it has from drafts. */
const OFFICIAL: Readonly<Record<string, string>> = {
  'i16x8.load8x8_s': 'v128.load8x8_s',
  'i16x8.load8x8_u': 'v128.load8x8_u',
  'i32x4.load16x4_s': 'v128.load16x4_s',
  'i32x4.load16x4_u': 'v128.load16x4_u',
  'i64x2.load32x2_s': 'v128.load32x2_s',
  'i64x2.load32x2_u': 'v128.load32x2_u',
  'v8x16.load_splat': 'v128.load8_splat',
  'v16x8.load_splat': 'v128.load16_splat',
  'v32x4.load_splat': 'v128.load32_splat',
  'v64x2.load_splat': 'v128.load64_splat',
  i8x16_popcnt: 'i8x16.popcnt',
};

/** The name of an instruction by wasmparser's code; undefined for one that never became an instruction. */
export function officialName(code: number): string | undefined {
  const name = OperatorCodeNames[code];
  if (name === undefined || name === 'let') return undefined;
  return OFFICIAL[name] ?? name;
}

interface Limited {
  readonly limits?: { readonly initial: number; readonly maximum?: number };
}

/** Reads all of a module. @throws Error wasmparser cannot */
export function readWithWasmparser(bytes: Uint8Array): OracleFacts {
  const reader = new BinaryReader();
  // It reads the index of a table as one byte; LLVM leaves room for five.
  Reflect.set(reader, 'readVarUint1', Reflect.get(reader, 'readVarUint32'));
  const copy = new Uint8Array(bytes);
  reader.setData(copy.buffer, 0, copy.length);
  const counts = new Map<number, number>();
  const imports: OracleFacts['imports'][number][] = [];
  const exports: [string, string][] = [];
  const memories: OracleLimits[] = [];
  const tables: OracleLimits[] = [];
  let [globals, functions, data, inElements] = [0, 0, 0, false];
  const count = (): void => {
    const { code } = reader.result as { code: number };
    counts.set(code, (counts.get(code) ?? 0) + 1);
  };
  while (reader.read()) {
    switch (reader.state as number) {
      case STATE.error:
        throw reader.error;
      case STATE.import: {
        const { module, field, kind, type } = reader.result as ImportEntry;
        const limits = limitsOf(type as Limited | undefined);
        imports.push({ module: text(module), name: text(field), kind: KINDS[kind] ?? '?', limits });
        break;
      }
      case STATE.export: {
        const { field, kind } = reader.result as { field: Uint8Array; kind: number };
        exports.push([text(field), KINDS[kind] ?? '?']);
        break;
      }
      case STATE.memory:
        memories.push(limitsOf(reader.result as Limited)!);
        break;
      case STATE.table:
        tables.push(limitsOf(reader.result as Limited)!);
        break;
      case STATE.beginGlobal:
        globals++;
        break;
      case STATE.beginFunction:
        functions++;
        break;
      case STATE.beginData:
        data++;
        break;
      case STATE.beginElement:
        inElements = true;
        break;
      case STATE.endElement:
        inElements = false;
        break;
      case STATE.initOperator:
        if (!inElements || (Reflect.get(reader, '_segmentType') as number) >= LISTS_FUNCTIONS) count();
        break;
      case STATE.codeOperator:
      case STATE.offsetOperator:
        count();
        break;
      case STATE.endWasm:
        return { imports, exports, memories, tables, globals, functions, data, opcodes: named(counts) };
    }
  }
  throw new Error('wasmparser wants more bytes');
}

interface ImportEntry {
  readonly module: Uint8Array;
  readonly field: Uint8Array;
  readonly kind: number;
  readonly type?: unknown;
}

function named(counts: ReadonlyMap<number, number>): Map<string, number> {
  const opcodes = new Map<string, number>();
  for (const [code, count] of counts) {
    const name = officialName(code) ?? `code ${code}`;
    opcodes.set(name, (opcodes.get(name) ?? 0) + count);
  }
  return opcodes;
}

function limitsOf(type: Limited | undefined): OracleLimits | undefined {
  return type?.limits === undefined ? undefined : { min: type.limits.initial, max: type.limits.maximum };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
