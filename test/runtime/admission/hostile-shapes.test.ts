import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, defaultRules, SluiceError } from '../../../runtime/index.js';
import { compile } from '../../../sandbox/worker/compile.js';
import { HOSTILE_SHAPES } from '../../support/modules/hostile-shapes.js';
import { moduleOf } from '../../support/modules/wasm-bytes.js';

const RULES = defaultRules('hostile', 16 << 20);

test('there are thirty hostile shapes and more', () => {
  assert.ok(HOSTILE_SHAPES.length >= 30);
});

for (const { what, code, says, bytes } of HOSTILE_SHAPES) {
  test(`${what}: refused with ${code}`, { timeout: 120_000 }, async () => {
    const file = await bytes();
    assert.throws(
      () => compile(admit(file, 'converter', RULES).bytes, 'hostile'),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.length < 1000, `${error.message.length} characters`);
        return true;
      },
    );
  });
}

test('where the compiler refuses, the byte is that of the file, not of what the caps have made of it', () => {
  const file = moduleOf([1, [1, 0x60, 0, 0]], [3, [1, 0]], [5, [1, 0, 1]], [10, [1, 3, 0, 0x6a, 0x0b]]);
  const { bytes, facts } = admit(file, 'inside a component', RULES);
  assert.ok(bytes.length > file.length);
  const at = file.indexOf(0x6a);
  assert.throws(() => compile(bytes, 'hostile', facts.bytes), {
    code: 'SLUICE_MODULE_COMPILE',
    message: new RegExp(`^hostile: .*i32\\.add.* at byte ${at}$`),
  });
});
