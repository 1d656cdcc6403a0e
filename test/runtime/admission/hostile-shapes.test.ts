import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, defaultRules, SluiceError } from '../../../runtime/index.js';
import { compile } from '../../../sandbox/worker/compile.js';
import { HOSTILE_SHAPES } from '../../support/hostile-shapes.js';

const RULES = defaultRules('hostile', 16 << 20);

test('there are thirty hostile shapes and more', () => {
  assert.ok(HOSTILE_SHAPES.length >= 30);
});

for (const { what, code, says, bytes } of HOSTILE_SHAPES) {
  test(`${what}: refused with ${code}`, { timeout: 20_000 }, async () => {
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
