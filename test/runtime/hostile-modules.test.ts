import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, defaultRules, readManifest, SluiceError } from '../../runtime/index.js';
import { fill, leb, moduleOf } from '../support/modules/wasm-bytes.js';

/** Close to the largest file that is read at all. */
const MUCH = 31_000_000;

const EMPTY_TYPE = [1, 0x60, 0, 0] as const;
const section = (id: number, pattern: readonly number[]): Buffer => {
  const { count, bytes } = fill(pattern, MUCH);
  return moduleOf([1, EMPTY_TYPE], [id, leb(count), bytes]);
};

const cases: readonly (readonly [string, Buffer])[] = [
  ['empty custom sections', Buffer.concat([moduleOf(), fill([0, 1, 0], MUCH).bytes])],
  ['types', moduleOf([1, leb(fill([0x60, 0, 0], MUCH).count), fill([0x60, 0, 0], MUCH).bytes])],
  ['parameters of one type', moduleOf([1, [1, 0x60], leb(MUCH), Buffer.alloc(MUCH, 0x7f), [0]])],
  ['imports', section(2, [0, 0, 0, 0])],
  ['functions', section(3, [0])],
  ['tables', section(4, [0x70, 0, 0])],
  ['memories', section(5, [0, 0])],
  ['exports of one name', section(7, [0, 0, 0])],
  ['a count of 4 billion without bytes', moduleOf([1, leb(0xffffffff)])],
  ['a name of 31 MB', moduleOf([1, EMPTY_TYPE], [2, [1], leb(MUCH), Buffer.alloc(MUCH, 65), [0, 0, 0]])],
  ['a name of 4 GiB without bytes', moduleOf([1, EMPTY_TYPE], [2, [1], leb(0xffffffff)])],
];

for (const [what, bytes] of cases) {
  test(`31 MB at most of ${what}: refused with a short code, without reading all of it into memory`, () => {
    const before = process.memoryUsage().heapTotal;
    assert.throws(
      () => admit(bytes, 'converter', defaultRules('hostile', 16 << 20)),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError);
        assert.match(error.code, /^SLUICE_MODULE_/);
        assert.ok(error.message.length < 500, `${error.message.length} characters`);
        return true;
      },
    );
    try {
      readManifest(bytes);
    } catch (error) {
      assert.ok(error instanceof SluiceError);
    }
    const grown = process.memoryUsage().heapTotal - before;
    assert.ok(grown < 96 << 20, `${grown} bytes of heap`);
  });
}

test('a module with a start function, a table of 10 million by its maximum, and a data count is capped and admitted', async () => {
  const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  const bytes = await parse(`(module
    (memory (export "memory") 1)
    (table 1 10000000 funcref)
    (data "passive")
    (func $start (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 7)))
    (func (export "sluice_arena") (param i32) (result i32) (table.grow (ref.null func) (i32.const 9999999)))
    (func (export "sluice_arena_end") (result i32) (i32.const 0))
    (func (export "configure") (param i32 i32) (result i32) (i32.const 0))
    (func (export "convert") (param i32 i32) (result i32) (i32.const 0))
    (func (export "flush") (param i64) (result i32) (i32.const 0))
    (start $start))`);
  const admitted = admit(bytes, 'converter', defaultRules('table', 1 << 20));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(admitted.bytes));
  const { sluice_arena } = exports as { sluice_arena: (size: number) => number };
  assert.equal(sluice_arena(0), -1);
});

for (const [what, text, code] of [
  ['memory', '(import "$root" "memory" (memory 1))', 'SLUICE_MODULE_IMPORT'],
  ['a table', '(import "$root" "log" (table 1 funcref))', 'SLUICE_MODULE_IMPORT'],
  ['a global', '(import "$root" "log" (global i32))', 'SLUICE_MODULE_IMPORT'],
  ['log with another type', '(import "$root" "log" (func (param i32)))', 'SLUICE_MODULE_IMPORT'],
  ['shared memory', '(import "$root" "memory" (memory 1 2 shared))', 'SLUICE_MODULE_IMPORT'],
] as const) {
  test(`a module that imports ${what} is refused with ${code}`, async () => {
    const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools');
    const bytes = await parse(`(module ${text})`);
    assert.throws(() => admit(bytes, 'converter', defaultRules('import', 1 << 20)), { code });
  });
}
