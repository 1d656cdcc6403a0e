import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SluiceError } from '../../runtime/errors.js';
import { moduleKind, readSections, readU32, writeU32 } from '../../runtime/wasm-sections.js';

const CORE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const COMPONENT = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
const file = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const refused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof SluiceError && error.code === code && words.test(error.message);
const malformed = (words: RegExp) => refused('SLUICE_MODULE_MALFORMED', words);

test('an empty module and an empty component have no sections', () => {
  assert.deepEqual(readSections(file(...CORE)), []);
  assert.deepEqual(readSections(file(...COMPONENT)), []);
  assert.equal(moduleKind(file(...CORE)), 'core');
  assert.equal(moduleKind(file(...COMPONENT)), 'component');
});

test('sections are given with their places in the file', () => {
  const bytes = file(...CORE, 1, 1, 0, 0, 4, 2, 0x68, 0x69, 0xff, 3, 1, 0);
  assert.deepEqual(readSections(bytes), [
    { id: 1, offset: 8, start: 10, end: 11 },
    { id: 0, name: 'hi', offset: 11, start: 16, end: 17 },
    { id: 3, offset: 17, start: 19, end: 20 },
  ]);
});

test('what is no WebAssembly is told apart from what is damaged', () => {
  const notWasm = (bytes: Uint8Array, words: RegExp) =>
    assert.throws(() => readSections(bytes), refused('SLUICE_MODULE_NOT_WASM', words));
  notWasm(file(), /empty/);
  notWasm(file(0x7f, 0x45, 0x4c, 0x46), /7f 45 4c 46/);
  notWasm(file(...CORE.slice(0, 7)), /begins with/);
  notWasm(file(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), /begins with/);
  notWasm(file(0, 0x61, 0x73, 0x6d, 0x0d, 0, 0, 0), /begins with/);
});

test('a section that is cut off names its offset', () => {
  assert.throws(() => readSections(file(...CORE, 1)), malformed(/at byte 9: an integer is cut off/));
  assert.throws(
    () => readSections(file(...CORE, 1, 5, 0)),
    malformed(/at byte 8: section 1 says 5 bytes, 1 are left/),
  );
});

test('the sections of a module come once and in the order of the specification', () => {
  assert.throws(
    () => readSections(file(...CORE, 3, 0, 1, 0)),
    malformed(/at byte 10: section 1 is out of order/),
  );
  assert.throws(() => readSections(file(...CORE, 1, 0, 1, 0)), malformed(/comes twice/));
  assert.throws(() => readSections(file(...CORE, 14, 0)), malformed(/not known in a module/));
  const inOrder = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11].flatMap(id => [id, 0]);
  assert.equal(readSections(file(...CORE, ...inOrder)).length, 13);
});

test('the sections of a component may repeat in any order', () => {
  assert.equal(readSections(file(...COMPONENT, 7, 0, 1, 0, 7, 0)).length, 3);
  assert.throws(() => readSections(file(...COMPONENT, 13, 0)), malformed(/not known in a component/));
});

test('a custom name has to lie in its section and be UTF-8', () => {
  assert.throws(
    () => readSections(file(...CORE, 0, 2, 5, 0x61)),
    malformed(/name of a custom section is cut off/),
  );
  assert.throws(() => readSections(file(...CORE, 0, 2, 1, 0xff)), malformed(/not UTF-8/));
  assert.throws(() => readSections(file(...CORE, 0, 0)), malformed(/cut off/));
});

test('integers take at most five bytes and no unused bits', () => {
  assert.deepEqual(readU32(file(0xff, 0xff, 0xff, 0xff, 0x0f), 0, 5), { value: 0xffffffff, next: 5 });
  assert.deepEqual(readU32(file(0x80, 0x80, 0x80, 0x80, 0x00), 0, 5), { value: 0, next: 5 });
  assert.throws(() => readU32(file(0xff, 0xff, 0xff, 0xff, 0x1f), 0, 5), malformed(/does not fit/));
  assert.throws(() => readU32(file(0x80, 0x80, 0x80, 0x80, 0x80, 0), 0, 6), malformed(/does not fit/));
});

test('every integer reads back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), value => {
      const bytes = Uint8Array.from(writeU32(value));
      assert.deepEqual(readU32(bytes, 0, bytes.length), { value, next: bytes.length });
    }),
  );
});

test('arbitrary bytes are either sections that tile the file or a coded refusal', () => {
  const preamble = fc.constantFrom(CORE, COMPONENT, []);
  fc.assert(
    fc.property(preamble, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
      const bytes = file(...head, ...tail);
      let at = 8;
      try {
        for (const section of readSections(bytes)) {
          assert.equal(section.offset, at);
          assert.ok(section.start <= section.end && section.end <= bytes.length);
          at = section.end;
        }
        assert.equal(at, bytes.length);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
