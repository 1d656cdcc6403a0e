import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import type { ErrorCode } from '../../../runtime/index.js';
import { fill, leb, moduleOf, moduleOfBody, type SectionParts } from './wasm-bytes.js';

/** A file that somebody wants to do harm with, and the code that it is refused with. */
export interface HostileShape {
  readonly what: string;
  readonly code: ErrorCode;
  /** What the refusal says, so that it is the right one. */
  readonly says: RegExp;
  bytes(): Uint8Array | Promise<Uint8Array>;
}

/** Close to the largest file that is read at all. */
const MUCH = 31_000_000;
const MILLION = 1_000_000;
const TYPE: SectionParts = [1, [1, 0x60, 0, 0]];
const MALFORMED = 'SLUICE_MODULE_MALFORMED';
const CEILING = 'SLUICE_MODULE_CEILING';
const FEATURE = 'SLUICE_MODULE_FEATURE';
const COMPILE = 'SLUICE_MODULE_COMPILE';

/** All that a converter has to export, so that what is wrong is what `text` adds. Nothing validates it here. */
async function converter(text: string): Promise<Uint8Array> {
  return parse(`(module (memory (export "memory") 1) ${text}
    (func (export "sluice_arena") (param i32) (result i32) (i32.const 0))
    (func (export "sluice_arena_end") (result i32) (i32.const 0))
    (func (export "configure") (param i32 i32) (result i32) (i32.const 0))
    (func (export "convert") (param i32 i32) (result i32) (i32.const 0))
    (func (export "flush") (param i64) (result i32) (i32.const 0)))`);
}

/** A section of as many entries of one form as fit into the file. */
function many(id: number, pattern: readonly number[], bytes = MUCH): Uint8Array {
  const filled = fill(pattern, bytes);
  return moduleOf(TYPE, [id, leb(filled.count), filled.bytes]);
}

function shape(what: string, code: ErrorCode, says: RegExp, bytes: HostileShape['bytes']): HostileShape {
  return { what, code, says, bytes };
}

export const HOSTILE_SHAPES: readonly HostileShape[] = [
  // What would take memory or time before anything runs.
  shape('a table of 10 million entries', 'SLUICE_MODULE_TABLE', /10000000 entries/, () =>
    converter('(table 10000000 funcref)'),
  ),
  shape('65,536 pages of memory', 'SLUICE_MODULE_MEMORY', /65536 pages/, () =>
    moduleOf([5, [1, 0], leb(65_536)]),
  ),
  shape('a million functions', CEILING, /1000000 functions/, () => {
    const bodies = fill([2, 0, 0x0b], 3 * MILLION);
    return moduleOf(TYPE, [3, leb(MILLION), Buffer.alloc(MILLION)], [10, leb(MILLION), bodies.bytes]);
  }),
  shape('31 million functions', CEILING, /functions, the ceiling is 1000000/, () => many(3, [0])),
  shape('a body of 7 MB', CEILING, /body of 700000\d bytes/, () =>
    moduleOfBody([0], Buffer.alloc(7 * MILLION, 0x01), [0x0b]),
  ),
  shape('a million nested blocks', CEILING, /nested 1000000 deep/, () =>
    moduleOfBody([0], fill([0x02, 0x40], 2 * MILLION).bytes, Buffer.alloc(MILLION + 1, 0x0b)),
  ),
  shape('4 billion locals', CEILING, /4294967295 locals/, () =>
    moduleOfBody([1], leb(0xffffffff), [0x7f, 0x0b]),
  ),
  shape('a million groups of locals', CEILING, /1000000 locals/, () =>
    moduleOfBody(leb(MILLION), fill([1, 0x7f], 2 * MILLION).bytes, [0x0b]),
  ),
  shape('10 million types', CEILING, /types, the ceiling is/, () =>
    moduleOf([1, leb(10 * MILLION), fill([0x60, 0, 0], 30 * MILLION).bytes]),
  ),
  shape('a type of 31 million parameters', CEILING, /parameters, the ceiling is/, () =>
    moduleOf([1, [1, 0x60], leb(MUCH), Buffer.alloc(MUCH, 0x7f), [0]]),
  ),
  shape('types of a thousand results each', CEILING, /of all types together/, () => {
    const type = [0x60, 0, ...leb(1000), ...Buffer.alloc(1000, 0x7f)];
    const filled = fill(type, 1 << 20);
    return moduleOf([1, leb(filled.count), filled.bytes]);
  }),
  shape('a recursive group of 4 billion types', CEILING, /4294967295 types/, () =>
    moduleOf([1, [1, 0x4e], leb(0xffffffff)]),
  ),
  shape('8 million imports', CEILING, /imports, the ceiling is/, () => many(2, [0, 0, 0, 0])),
  shape('10 million exports', CEILING, /exports, the ceiling is/, () => many(7, [0, 0, 0])),
  shape('10 million tables', CEILING, /tables, the ceiling is/, () => many(4, [0x70, 0, 0])),
  shape('15 million memories', CEILING, /memories, the ceiling is/, () => many(5, [0, 0])),
  shape('6 million globals', CEILING, /globals/, () => many(6, [0x7f, 0, 0x41, 0, 0x0b])),
  shape('15 million data segments', CEILING, /data segments/, () => many(11, [1, 0])),
  shape('30 million elements', CEILING, /elements/, () =>
    moduleOf(
      TYPE,
      [3, [1, 0]],
      [9, [1, 1, 0], leb(30 * MILLION), Buffer.alloc(30 * MILLION)],
      [10, [1, 2, 0, 0x0b]],
    ),
  ),
  shape('10 million empty custom sections', CEILING, /sections/, () =>
    Buffer.concat([moduleOf(), fill([0, 1, 0], MUCH).bytes]),
  ),
  shape('a name of 31 MB', CEILING, /bytes of a name/, () =>
    moduleOf(TYPE, [2, [1], leb(MUCH), Buffer.alloc(MUCH, 65), [0, 0, 0]]),
  ),
  shape('a name of a custom section of 31 MB', CEILING, /bytes of a name/, () =>
    moduleOf([0, leb(MUCH), Buffer.alloc(MUCH, 65)]),
  ),
  // Sizes that lie.
  shape('a custom section that declares 512 MiB', MALFORMED, /says 536870912 bytes/, () =>
    Buffer.concat([moduleOf(), Uint8Array.of(0, ...leb(512 << 20), 1, 65)]),
  ),
  shape('4 billion types without bytes', CEILING, /4294967295 types/, () => moduleOf([1, leb(0xffffffff)])),
  shape('a jump table of 4 billion labels without bytes', MALFORMED, /4294967295 labels in/, () =>
    moduleOfBody([0, 0x0e], leb(0xffffffff), [0x0b]),
  ),
  shape('a body that is longer than its section', MALFORMED, /function 0 is cut off/, () =>
    moduleOf(TYPE, [3, [1, 0]], [10, [1, 100, 0, 0x0b]]),
  ),
  shape('functions without bodies', MALFORMED, /1 functions are declared, 0 have a body/, () =>
    moduleOf(TYPE, [3, [1, 0]]),
  ),
  shape('a wrong count of data segments', MALFORMED, /3 data segments are declared, 0/, () =>
    moduleOf([12, [3]]),
  ),
  // Integers.
  shape('an integer of six bytes', MALFORMED, /does not fit 32 bits/, () =>
    moduleOf([1, [0x81, 0x80, 0x80, 0x80, 0x80, 0], [0x60, 0, 0]]),
  ),
  shape('an integer with bits beyond its value', MALFORMED, /does not fit 32 bits/, () =>
    moduleOfBody([0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a, 0x0b]),
  ),
  shape('a 64-bit integer of eleven bytes', MALFORMED, /does not fit 64 bits/, () =>
    moduleOfBody([0, 0x42], Buffer.alloc(10, 0x80), [0, 0x1a, 0x0b]),
  ),
  // Order and names.
  shape('a name that is exported twice', MALFORMED, /"a" is exported twice/, () =>
    moduleOf([5, [1, 0, 1]], [7, [2, 1, 97, 2, 0, 1, 97, 2, 0]]),
  ),
  shape('a section that comes twice', MALFORMED, /comes twice/, () => moduleOf(TYPE, TYPE)),
  shape('sections out of order', MALFORMED, /out of order/, () => moduleOf([5, [1, 0, 1]], TYPE)),
  shape('a section that nobody knows', MALFORMED, /section 14 is not known/, () => moduleOf([14, [0]])),
  shape('a name that is not UTF-8', MALFORMED, /not UTF-8/, () =>
    moduleOf([5, [1, 0, 1]], [7, [1, 1, 0xff, 2, 0]]),
  ),
  shape('a component', MALFORMED, /a component, where a core module/, () =>
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
  ),
  // Code.
  shape('a body that ends inside an instruction', MALFORMED, /ends inside an instruction/, () =>
    moduleOfBody([0, 0x44, 0, 0, 0x0b]),
  ),
  shape('a body that goes on behind its end', MALFORMED, /goes on behind its end/, () =>
    moduleOfBody([0, 0x0b, 0x01, 0x0b]),
  ),
  shape('an instruction that nobody knows', MALFORMED, /0xfd 4095 is no instruction/, () =>
    moduleOfBody([0, 0xfd, 0xff, 0x1f, 0x0b]),
  ),
  shape('code that does not balance its stack', COMPILE, /Compiling function/, () =>
    converter('(func (i32.add) drop)'),
  ),
  shape('a call of a function that is not there', COMPILE, /Compiling function/, () =>
    converter('(func (call 4000))'),
  ),
  shape('a jump table of a million labels', COMPILE, /Compiling function|br_table/, async () => {
    const labels = ' 0'.repeat(MILLION);
    return converter(`(func (br_table${labels} (i32.const 0)))`);
  }),
  // Memory and tables that it has not.
  shape(
    'a data segment out of bounds',
    MALFORMED,
    /a data segment of 1 bytes at 65536, its memory starts with 65536/,
    () => converter('(data (i32.const 65536) "x")'),
  ),
  shape('elements out of bounds', MALFORMED, /1 entries at 7, its table starts with 7/, () =>
    converter('(table 7 funcref) (elem (i32.const 7) 0)'),
  ),
  // What plugins may not use.
  shape('shared memory', FEATURE, /shared memory/, () => moduleOf([5, [1, 3, 1, 2]])),
  shape('64-bit memory', FEATURE, /64-bit/, () => moduleOf([5, [1, 4, 1]])),
  shape('two memories', FEATURE, /a second memory/, () => moduleOf([5, [2, 0, 1, 0, 1]])),
  shape('exceptions', FEATURE, /exceptions/, () => moduleOf(TYPE, [13, [1, 0, 0]])),
  shape('structures', FEATURE, /garbage-collected|gc/, () => moduleOf([1, [1, 0x5f, 0]])),
  shape('a type that nobody knows', FEATURE, /the form of type 0x5d/, () => moduleOf([1, [1, 0x5d, 0]])),
];
