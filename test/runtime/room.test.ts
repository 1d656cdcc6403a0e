import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { lendMemory, Room } from '../../runtime/index.js';

interface Exports {
  readonly memory: WebAssembly.Memory;
  write(at: number, value: number): void;
  read(at: number): number;
  grow(pages: number): number;
}

const BODY = `
  (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (data (i32.const 8) "hello"))`;

/** The module's instances in one room. */
async function roomOf(text: string): Promise<{ readonly room: Room; readonly next: () => Exports }> {
  const lent = lendMemory(await parse(text));
  assert.ok(lent !== undefined);
  const module = new WebAssembly.Module(lent.bytes);
  const room = new Room(lent);
  const next = (): Exports => {
    const imports = { host: { called: () => 7 }, 'sluice:host': { memory: room.next() } };
    return new WebAssembly.Instance(module, imports).exports as unknown as Exports;
  };
  return { room, next };
}

test('an instance finds the memory of the one before empty, but for its own data', async () => {
  const { room, next } = await roomOf(`(module (memory (export "memory") 2 4) ${BODY}`);
  const first = next();
  first.write(9, 1);
  first.write(131_071, 1);
  assert.equal(room.isKept, true);
  const second = next();
  assert.equal(second.memory, first.memory);
  assert.equal(Buffer.from(second.memory.buffer, 8, 5).toString(), 'hello');
  assert.equal(second.read(131_071), 0);
});

test('a memory that has grown, or is large, is not given to the next instance', async () => {
  const { room, next } = await roomOf(`(module (memory (export "memory") 1 4) ${BODY}`);
  const first = next();
  assert.deepEqual([first.grow(1), first.grow(3)], [1, -1]);
  assert.equal(room.isKept, false);
  const second = next();
  assert.notEqual(second.memory, first.memory);
  assert.deepEqual([second.memory.buffer.byteLength, second.read(8)], [65_536, 104]);
  const large = await roomOf(`(module (memory (export "memory") 17 40) ${BODY}`);
  large.next();
  assert.equal(large.room.isKept, false);
});

test('imports of a module stay in front of the memory that it is given, and one without types can have one', async () => {
  const text =
    '(module (import "host" "called" (func (result i32))) (memory (export "memory") 1 2) (export "f" (func 0)) (data (i32.const 8) "hello"))';
  const { next } = await roomOf(text);
  assert.equal((next() as unknown as { f(): number }).f(), 7);
  const bare = await roomOf('(module (memory (export "memory") 1 2) (data (i32.const 8) "hello"))');
  assert.equal(Buffer.from(bare.next().memory.buffer, 8, 5).toString(), 'hello');
});

test('a module without a memory of its own, or with one without a maximum, is left as it is', async () => {
  for (const text of ['(module)', '(module (memory 1))', '(module (import "a" "m" (memory 1 2)))'])
    assert.equal(lendMemory(await parse(text)), undefined, text);
});
