import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONTRACT_VERSION } from '../../runtime/contract.js';
import { SluiceError } from '../../runtime/errors.js';
import { appendManifest, MANIFEST_MAX_BYTES, parseManifest, readManifest } from '../../runtime/manifest.js';

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const COMPONENT = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
const HASH = 'ab'.repeat(32);
const GOOD = {
  name: 'modbus-json',
  version: '1.2.3-rc.1+build.5',
  kind: 'converter',
  accepts: ['modbus'],
  limits: { memory: 1048576, deadline: 100, output: 4096 },
} as const;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const sidecar = (fields: Record<string, unknown>) =>
  parseManifest(utf8(JSON.stringify({ ...GOOD, abi: CONTRACT_VERSION, ...fields })));
const refused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof SluiceError && error.code === code && words.test(error.message);
const invalid = (words: RegExp) => refused('SLUICE_MANIFEST_INVALID', words);

test('a manifest reads back as it was appended, from modules and components', () => {
  for (const bytes of [EMPTY, COMPONENT]) {
    const packed = appendManifest(bytes, GOOD, HASH);
    assert.deepEqual(packed.subarray(0, bytes.length), bytes);
    const read = readManifest(packed);
    assert.equal(read?.end, bytes.length);
    assert.deepEqual(read?.manifest, { ...GOOD, abi: CONTRACT_VERSION, sha256: HASH });
  }
});

test('V8 takes a packed module and sees the section', () => {
  const module = new WebAssembly.Module(new Uint8Array(appendManifest(EMPTY, GOOD, HASH)));
  const { customSections } = WebAssembly.Module as unknown as {
    customSections(module: WebAssembly.Module, name: string): ArrayBuffer[];
  };
  const [section] = customSections(module, 'sluice:manifest');
  assert.equal(JSON.parse(new TextDecoder().decode(section)).name, GOOD.name);
});

test('a file without the section has no manifest', () => {
  assert.equal(readManifest(EMPTY), undefined);
});

test('the section has to be the last one, and there is one', () => {
  const packed = appendManifest(EMPTY, GOOD, HASH);
  assert.throws(
    () => readManifest(Uint8Array.of(...packed, 0, 1, 0)),
    invalid(/the section "" at byte \d+ comes behind it.*pack the file after/),
  );
  assert.throws(() => appendManifest(packed, GOOD, HASH), invalid(/already carries one/));
});

test('a section above the ceiling is neither written nor read', () => {
  const long = { ...GOOD, description: 'x'.repeat(MANIFEST_MAX_BYTES) };
  assert.throws(() => appendManifest(EMPTY, long, HASH), invalid(/the ceiling is 65536/));
  assert.throws(() => parseManifest(utf8(JSON.stringify(long))), invalid(/the ceiling is 65536/));
});

test('each field that is wrong is named', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ name: undefined }, /name: is missing/],
    [{ name: 7 }, /name: is not a text/],
    [{ name: 'Modbus' }, /name: "Modbus" is not 1 to 63 lower-case/],
    [{ name: '-a' }, /name: /],
    [{ name: 'a'.repeat(64) }, /name: /],
    [{ version: '1.2' }, /version: "1.2" is not a semantic version/],
    [{ version: '01.2.3' }, /version: /],
    [{ kind: 'driver' }, /kind: "driver" is not one of converter, kernel/],
    [{ kind: 'toString' }, /kind: /],
    [{ accepts: 'modbus' }, /accepts: is not a list/],
    [{ accepts: ['modbus', ''] }, /accepts\[1\]: /],
    [{ limits: [] }, /limits: is not an object/],
    [{ limits: { memory: '16MiB' } }, /limits.memory: is not a whole number/],
    [{ limits: { deadline: 0 } }, /limits.deadline: /],
    [{ limits: { output: 1.5 } }, /limits.output: /],
    [{ simd: 'all' }, /simd: "all" is not one of none, integer, baseline/],
    [{ simd: ['i32x4.add', 'i8x16.relaxed_swizzle'] }, /simd: "i8x16.relaxed_swizzle" is no fixed-width/],
    [{ simd: 7 }, /simd: is not a list of texts/],
    [{ features: ['thread'] }, /features: "thread" is not one of mvp, .*threads/],
    [{ imports: 'log' }, /imports: is not a list of texts/],
    [{ source: 'AB'.repeat(32) }, /source: is not 64 lower-case hex/],
    [{ vectors: {} }, /vectors: is not a list/],
    [
      { vectors: [{ name: 'a', frame: { topic: 't', payload: '0' }, messages: [] }] },
      /vectors\[0\].frame.payload: is not hex/,
    ],
    [{ vectors: [{ name: 'a', frame: { topic: 't', payload: '' } }] }, /either messages or fault/],
    [
      { vectors: [{ name: 'a', frame: { topic: 't', payload: '' }, fault: { code: 'NO', text: '' } }] },
      /vectors\[0\].fault.code: "NO" is not known/,
    ],
    [
      { vectors: [{ name: 'a', frame: { topic: 't', payload: '', properties: [['k']] }, messages: [] }] },
      /vectors\[0\].frame.properties: /,
    ],
    [
      { vectors: [{ name: 'a', frame: { topic: 't', payload: '' }, messages: [{ qos: 3 }] }] },
      /messages\[0\].qos: /,
    ],
  ];
  for (const [fields, words] of cases)
    assert.throws(() => sidecar(fields), invalid(words), JSON.stringify(fields));
});

test('limits are optional, one by one', () => {
  assert.deepEqual(sidecar({ limits: undefined }).limits, {});
  assert.deepEqual(sidecar({ limits: { deadline: 5 } }).limits, { deadline: 5 });
});

test('what a plugin asks for is optional, and the flag of a build says what SIMD it asks for', () => {
  assert.deepEqual(Object.keys(sidecar({})).includes('simd'), false);
  assert.deepEqual([sidecar({ simd: true }).simd, sidecar({ simd: false }).simd], ['baseline', 'none']);
  const asks = { simd: ['i32x4.add'], features: ['threads'], imports: ['log'] };
  const { simd, features, imports } = sidecar(asks);
  assert.deepEqual({ simd, features, imports }, asks);
});

test('an abi is supported within its major version, and 0.1 too, which has the same layout', () => {
  assert.equal(CONTRACT_VERSION, '1.0.0');
  for (const abi of ['1.0.0', '1.7.99', '0.1.0', '0.1.3']) assert.equal(sidecar({ abi }).abi, abi);
  for (const abi of ['9.0.0', '2.0.0', '0.2.0', '0.10.0', '10.1.0']) {
    assert.throws(
      () => sidecar({ abi }),
      refused(
        'SLUICE_ABI_UNSUPPORTED',
        new RegExp(`abi ${abi} is not supported; this gateway runs 1.x and 0.1.x`),
      ),
    );
  }
});

test('a packed plugin of contract 0.1.0 still loads', () => {
  const packed = appendManifest(EMPTY, { ...GOOD, abi: '0.1.0' }, HASH);
  assert.equal(readManifest(packed)?.manifest.abi, '0.1.0');
});

test('the sha256 in the section is asked for', () => {
  assert.throws(() => readManifest(appendManifest(EMPTY, GOOD, 'short')), invalid(/sha256: is not 64/));
});

test('a packed file with any byte changed is read, refused with a code, or has lost its manifest', () => {
  const packed = appendManifest(EMPTY, GOOD, HASH);
  fc.assert(
    fc.property(
      fc.nat(packed.length - 1),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(packed.length),
      (at, byte, cut) => {
        const changed = packed.slice();
        changed[at] = byte;
        for (const bytes of [changed, changed.slice(0, cut)]) onlyCoded(() => readManifest(bytes));
      },
    ),
    { numRuns: 3000 },
  );
});

test('arbitrary JSON as a manifest is read or refused with a code', () => {
  const fields = fc.record(
    {
      name: fc.anything(),
      version: fc.anything(),
      abi: fc.anything(),
      kind: fc.anything(),
      accepts: fc.anything(),
      limits: fc.anything(),
      vectors: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fields), fc.boolean(), (value, good) => {
      const json = toJson(
        good && typeof value === 'object' && value !== null
          ? { ...GOOD, abi: CONTRACT_VERSION, ...value }
          : value,
      );
      onlyCoded(() => parseManifest(utf8(json)));
    }),
    { numRuns: 2000 },
  );
});

function toJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ??
      'null'
    );
  } catch {
    return 'null';
  }
}

function onlyCoded(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
  }
}
