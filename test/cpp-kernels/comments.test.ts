import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const SOURCES = new URL('../../../cpp-kernels/src/', import.meta.url);

test('the comment of each kernel has its errnos, its bound of error (or that it is exact) and its source', () => {
  const kernels = readdirSync(SOURCES).filter(name => {
    const text = name.endsWith('.h') ? readFileSync(new URL(name, SOURCES), 'utf8') : '';
    // The state block is what kernels share; the others are kernels.
    return name !== 'state.h' && /^SLUICE_KERNEL_API/m.test(text);
  });
  assert.ok(kernels.length >= 24, String(kernels.length));
  for (const name of kernels) {
    const [comment = ''] = /^\/\*[\s\S]*?\*\//.exec(readFileSync(new URL(name, SOURCES), 'utf8')) ?? [];
    assert.match(comment, /\bE[A-Z]{4,}:|\berrnos\b/, `${name}: errnos`);
    assert.match(comment, /exact|off by|error/i, `${name}: bound of error`);
    assert.match(comment, /^ \* Source: /m, `${name}: source`);
  }
});
