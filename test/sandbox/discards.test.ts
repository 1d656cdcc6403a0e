import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Discards } from '../../sandbox/worker/discards.js';

test('instances that failed are collected once many or large ones lie there, by means that nobody else gets to see', async () => {
  const discards = new Discards();
  for (let failed = 0; failed < 60; failed++) discards.add(65_536);
  assert.equal(discards.areDue, false);
  discards.add(13 << 20);
  assert.equal(discards.areDue, true);
  const left = new WeakRef(new WebAssembly.Memory({ initial: 1 }));
  // What a WeakRef was made of lives to the end of this turn.
  await new Promise(setImmediate);
  discards.collect();
  assert.equal(left.deref(), undefined);
  assert.equal(discards.areDue, false);
  assert.equal('gc' in globalThis, false);
  for (let failed = 0; failed < 512; failed++) discards.add(0);
  assert.equal(discards.areDue, true);
  assert.equal(discards.arePressing, false);
  for (let failed = 0; failed < 256; failed++) discards.add(0);
  assert.equal(discards.arePressing, true);
});

/** Fills what may lie there in a thread, over and over, with a heap of so many MiB. */
const FILL = `
import { Worker } from 'node:worker_threads';
const code = 'const discards = new (await import("${new URL('../../sandbox/worker/discards.js', import.meta.url).href}")).Discards();' +
  'for (let round = 0; round < 10; round++) {' +
  '  while (!discards.arePressing) { new WebAssembly.Memory({ initial: 16 }); discards.add(1 << 20); }' +
  '  await new Promise(setImmediate);' +
  '  discards.collect();' +
  '}';
const resourceLimits = { maxOldGenerationSizeMb: Number(process.argv[1]), maxYoungGenerationSizeMb: 16 };
new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)), { resourceLimits });
`;

for (const heap of [32, 64]) {
  test(`with a heap of ${heap} MiB V8 does not begin to collect by itself, in the midst of a batch`, async () => {
    const args = ['--trace-gc', '--input-type=module', '--eval', FILL, `${heap}`];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    // Those that were asked for.
    assert.ok([...stdout.matchAll(/Mark-Compact/g)].length >= 10, stdout);
    assert.doesNotMatch(stdout, /external memory pressure/);
  });
}
