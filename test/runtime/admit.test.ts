import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { admit, defaultRules, LIMITS, SluiceError } from '../../runtime/index.js';

const guest = async (name: string): Promise<Buffer> =>
  readFile(new URL(`../guests/${name}.wasm`, import.meta.url));
const MEMORY = 4 << 20;
const rulesOf = (plugin: string, memory = MEMORY) => defaultRules(plugin, memory);

/** Pages up to which the memory of an instance of these bytes can grow. */
function growth(bytes: Uint8Array): number {
  const { memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { $root: { log() {} } })
    .exports as unknown as {
    memory: WebAssembly.Memory;
  };
  // In large steps, then in smaller ones: each costs about as much, whatever its size.
  for (let step = 1 << 16; step > 0; ) {
    try {
      memory.grow(step);
    } catch {
      step >>= 1;
    }
  }
  return memory.buffer.byteLength / LIMITS.page;
}

test('the memory of an admitted module cannot grow beyond its grant', async () => {
  const { bytes } = admit(await guest('echo'), 'converter', rulesOf('echo'));
  assert.equal(growth(bytes), MEMORY / LIMITS.page);
});

test('a smaller maximum of the module itself stays', async () => {
  const { bytes } = admit(await guest('echo'), 'converter', rulesOf('echo', 1 << 30));
  assert.ok(growth(bytes) < (1 << 30) / LIMITS.page);
});

test('a converter is no kernel', async () => {
  assert.throws(() => admit(Buffer.alloc(0), 'kernel', rulesOf('none')), { code: 'SLUICE_MODULE_NOT_WASM' });
  const echo = await guest('echo');
  assert.throws(() => admit(echo, 'kernel', rulesOf('echo')), {
    code: 'SLUICE_MODULE_EXPORT',
    message: /process is missing/,
  });
});

test('the refusal names every export that is missing or of another type', async () => {
  const wrong = await guest('wrong-type');
  assert.throws(() => admit(wrong, 'converter', rulesOf('wrong-type')), {
    code: 'SLUICE_MODULE_EXPORT',
    step: 'admit',
  });
});

test('mutated modules are admitted or refused with a code, never anything else', async () => {
  const seed = await guest('echo');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(seed.length),
      (edits, length) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          admit(bytes.subarray(0, length % 2 === 0 ? bytes.length : length), 'converter', rulesOf('mutant'));
        } catch (thrown) {
          assert.ok(thrown instanceof SluiceError, String(thrown));
          assert.match(thrown.code, /^SLUICE_MODULE_/);
        }
      },
    ),
    { numRuns: 3000 },
  );
});
