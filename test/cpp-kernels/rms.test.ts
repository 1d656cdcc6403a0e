import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { BinaryReader, type BinaryReaderState } from 'wasmparser';
import { admit, CoreInstance, defaultRules, readManifest } from '../../runtime/index.js';
import { BUILDS, bytesOf, floatsOf, isWithinBound, reference, replyOf, rms } from './support.js';

const NAN = 0x7fc00000;
/** A const enum of wasmparser, which only its own compiler run could name. */
const CODE_OPERATOR: BinaryReaderState = 30;
const dist = new URL('../../', import.meta.url);

/** Any float: all bit patterns, and those that go wrong first. */
const anyFloat = fc.oneof(
  { weight: 4, arbitrary: fc.float({ noNaN: true, min: -1000, max: 1000 }) },
  { weight: 1, arbitrary: fc.float() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1e-45, -1e-40, 1.17549435e-38, 3.4028235e38, -0, 0, Infinity, NaN),
  },
);

/** Samples cut into blocks anywhere, some of them empty, and how to look at them. */
const anyRun = fc.record({
  blocks: fc.array(fc.array(anyFloat, { maxLength: 60 }), { minLength: 1, maxLength: 6 }),
  window: fc.integer({ min: 1, max: 40 }),
  hop: fc.integer({ min: 1, max: 60 }),
});

test('any samples in any blocks: within the stated bound of a reference in doubles, both builds equal bit by bit', async () => {
  await fc.assert(
    fc.asyncProperty(anyRun, async ({ blocks, window, hop }) => {
      const payloads = blocks.map(block => ({ payload: bytesOf(Float32Array.from(block)) }));
      const [simd, scalar] = await Promise.all(BUILDS.map(build => rms(build, { window, hop }, payloads)));
      assert.deepEqual(simd, scalar);
      const results = simd!.flatMap(each => [...floatsOf(each as Uint32Array)]);
      const exact = reference(Float32Array.from(blocks.flat()), window, hop);
      assert.equal(results.length, exact.length);
      for (const [i, result] of results.entries()) {
        assert.ok(isWithinBound(result, exact[i]!), `window ${i}: ${result}, not ${exact[i]}`);
      }
    }),
    { numRuns: 60, seed: 3 },
  );
});

test('the longest window stays within the bound, and both builds agree', async () => {
  const registers = Buffer.alloc(2 << 20);
  for (let at = 0, state = 1; at < registers.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    registers.writeUInt32BE(state, at);
  }
  const config = { window: 1 << 20, input: 'i16be', streams: 1 };
  const [simd, scalar] = await Promise.all(BUILDS.map(build => rms(build, config, [{ payload: registers }])));
  assert.deepEqual(simd, scalar);
  const samples = Array.from({ length: 1 << 20 }, (_, i) => registers.readInt16BE(i * 2));
  const [exact] = reference(samples, 1 << 20, 1 << 20);
  assert.ok(isWithinBound(floatsOf(simd![0] as Uint32Array)[0]!, exact!));
});

test('a NaN is the same NaN in both builds, whatever its sign and payload were; infinity is infinity', async () => {
  const bits = Uint32Array.of(0xffc00001, 0x3f800000, 0x7f800000, 0x7f812345, 0xff800000, 0x7f800000);
  for (const build of BUILDS) {
    const payload = new Uint8Array(bits.buffer);
    assert.deepEqual(await rms(build, { window: 2 }, [{ payload }]), [Uint32Array.of(NAN, NAN, 0x7f800000)]);
  }
});

test('the largest float and the smallest subnormal come out as they went in', async () => {
  for (const build of BUILDS) {
    for (const bits of [0x7f7fffff, 0x00000001, 0x007fffff, 0x00800000]) {
      const payload = new Uint8Array(new Uint32Array(17).fill(bits).buffer);
      assert.deepEqual(await rms(build, { window: 17 }, [{ payload }]), [Uint32Array.of(bits)]);
    }
  }
});

test('registers behind a header are unsigned or signed, and a window spans frames of its own topic only', async () => {
  const one = { topic: 'line1/1/3/0-2', payload: replyOf([3, -4, 3]) };
  const two = { topic: 'line1/2/3/0-2', payload: replyOf([100, 100, 100]) };
  for (const build of BUILDS) {
    const signed = await rms(build, { window: 4, input: 'i16be', skip: 9 }, [one, two, one, two]);
    assert.deepEqual(
      signed.map(each => [...floatsOf(each as Uint32Array)]),
      [[], [], [Math.fround(Math.sqrt(43 / 4))], [100]],
    );
    const unsigned = await rms(build, { window: 3, input: 'u16be', skip: 9 }, [one]);
    const [exact] = reference([3, 65532, 3], 3, 3);
    assert.ok(isWithinBound(floatsOf(unsigned[0] as Uint32Array)[0]!, exact!));
  }
});

test('a block that does not fit is refused with an errno and leaves the window as it was', async () => {
  const good = { payload: replyOf([3, 4]) };
  const broken = [{ payload: replyOf([1]).subarray(0, 10) }, { payload: Buffer.alloc(8) }];
  const [build] = BUILDS;
  const config = { window: 4, input: 'u16be', skip: 9 };
  const [first, odd, short, last] = await rms(build, config, [good, ...broken, good]);
  assert.equal((first as Uint32Array).length, 0);
  assert.match(odd as string, /^SLUICE_KERNEL_ERRNO: rms answered EINVAL to a block of 10 bytes$/);
  assert.match(short as string, /EINVAL to a block of 8 bytes/);
  assert.deepEqual([...floatsOf(last as Uint32Array)], [Math.fround(Math.sqrt(12.5))]);
});

test('a topic more than there are streams for is refused with ENOMEM, the others go on', async () => {
  const block = (topic: string) => ({ topic, payload: replyOf([5]) });
  const config = { window: 1, input: 'u16be', skip: 9, streams: 2 };
  const results = await rms(BUILDS[0], config, ['a', 'b', 'c', 'a'].map(block));
  assert.deepEqual([...floatsOf(results[3] as Uint32Array)], [5]);
  assert.match(results[2] as string, /ENOMEM/);
});

test('a configuration that cannot be meant is refused by name', async () => {
  const cases: [unknown, RegExp][] = [
    [{}, /window is missing/],
    [{ window: 0 }, /window is not a whole number from 1 to 1048576/],
    [{ window: 2.5 }, /window is not a whole number/],
    [{ window: '4' }, /window is not a whole number/],
    [{ window: 4, hop: 0 }, /hop is not/],
    [{ window: 4, skip: -1 }, /skip is not/],
    [{ window: 4, streams: 1025 }, /streams is not/],
    [{ window: 4, flush: 1 }, /flush is not true or false/],
    [{ window: 4, input: 'f16' }, /input is not u16, i16, u32, i32, f32 or f64, with be, le, cdab or badc/],
    [{ window: 4, input: 'u16eb' }, /input is not u16/],
    [{ window: 4, input: '' }, /input is not u16/],
    [{ window: 4, input: 7 }, /input is not a text/],
    [{ window: 4, wnidow: 4 }, /"wnidow" is not known; known are window, hop/],
    [{ window: (1 << 20) + 1 }, /window is not a whole number/],
    [{ window: 4, input: { f: 1 } }, /input is not a text/],
    [[4], /the configuration is not a JSON object|window is missing/],
  ];
  for (const [config, why] of cases) {
    await assert.rejects(rms(BUILDS[0], config, []), why, JSON.stringify(config));
  }
});

test('any text as configuration is taken or refused, and never a trap', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '"window"',
    ':',
    ',',
    '4',
    '-',
    '.',
    '"',
    'true',
    ' ',
    '\\',
    '[',
    'é',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), parts => {
      configureWith(parts.join(''));
    }),
    { numRuns: 300, seed: 4 },
  );
});

/** Gives the text to `configure` as it is. */
function configureWith(text: string): void {
  const bytes = readFileSync(new URL(BUILDS[0], dist));
  const module = new WebAssembly.Module(admit(bytes, 'kernel', defaultRules('rms', 16 << 20)).bytes);
  try {
    new CoreInstance(module, 'kernel', 'rms', () => {}).configure(text);
  } catch (thrown) {
    assert.equal((thrown as { code?: string }).code, 'SLUICE_GUEST_CONFIG', String(thrown));
  }
}

test('one build has vector instructions and the other has none', () => {
  const vectors = BUILDS.map(build => countVectors(readFileSync(new URL(build, dist))));
  assert.ok(vectors[0]! > 20, `${vectors[0]} in the first`);
  assert.equal(vectors[1], 0);
});

/** Operators of the vector prefix (0xfd) in the code of a module. */
function countVectors(bytes: Uint8Array): number {
  const reader = new BinaryReader();
  const copy = Uint8Array.from(bytes);
  reader.setData(copy.buffer, 0, copy.length);
  let count = 0;
  while (reader.read()) {
    if (reader.state !== CODE_OPERATOR) continue;
    if ((reader.result as { code: number }).code >> 12 === 0xfd) count++;
  }
  return count;
}

test('each build says what made it and from which source', () => {
  for (const build of BUILDS) {
    const { manifest } = readManifest(readFileSync(new URL(build, dist)))!;
    assert.equal(manifest.name, 'rms');
    assert.match(manifest.toolchain ?? '', /clang|em\+\+|emcc/);
    assert.match(manifest.source ?? '', /^[0-9a-f]{64}$/);
  }
});
