import assert from 'node:assert/strict';
import { test } from 'node:test';
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
