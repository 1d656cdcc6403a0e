import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutOtherBuild } from '../../../host/plugins/simd-build.js';

const names = ['echo.wasm', 'rms-scalar.wasm', 'rms.wasm', 'lone-scalar.wasm'];

test('of two builds of one kernel the SIMD one is looked at, and a scalar one that is alone', () => {
  assert.deepEqual(withoutOtherBuild(names, {}), ['echo.wasm', 'rms.wasm', 'lone-scalar.wasm']);
  assert.deepEqual(withoutOtherBuild(names, { SLUICE_NO_SIMD: '0' }), [
    'echo.wasm',
    'rms.wasm',
    'lone-scalar.wasm',
  ]);
});

test('with SLUICE_NO_SIMD the scalar build is looked at where there is one', () => {
  assert.deepEqual(withoutOtherBuild(names, { SLUICE_NO_SIMD: '1' }), [
    'echo.wasm',
    'rms-scalar.wasm',
    'lone-scalar.wasm',
  ]);
});
