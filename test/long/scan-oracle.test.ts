import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from '../../runtime/admission/scan/scan.js';
import { checkAgainstWasmparser } from '../support/modules/oracle-check.js';
import { largestModule, peerModule } from '../support/modules/real-modules.js';

test('LLVM, 75 MB: wasmparser reads the same imports, limits and 27 million instructions', async () => {
  checkAgainstWasmparser((await largestModule()).bytes);
});

test('a module of 9 MB with SIMD and threads: wasmparser reads the same imports, limits and instructions', async () => {
  const module = await peerModule();
  assert.ok(module !== undefined, 'not installed: npm run bench:peers');
  checkAgainstWasmparser(module.bytes);
  const { features } = scan(module.bytes);
  for (const feature of ['simd', 'threads', 'exceptions'] as const) assert.ok(features.has(feature), feature);
});
