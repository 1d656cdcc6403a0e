// The functions that assembly/index.ts exports for itself, called directly. What goes over the border is in
// vectors.json, which `sluice plugin test` runs through the real sandbox.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { instantiate } from '@assemblyscript/loader';

const file = new URL('../build/{{name}}.wasm', import.meta.url);
const { exports: plugin } = await instantiate(readFile(file), { $root: { log() {} } });

/** Bytes in the plugin's memory, as the one number (address, length) that it calls a Text. */
function lend(...bytes) {
  const at = plugin.sluice_arena(bytes.length);
  new Uint8Array(plugin.memory.buffer).set(bytes, at);
  return BigInt(at) | (BigInt(bytes.length) << 32n);
}

test('a register is a signed number of tenths', () => {
  assert.equal(plugin.celsius(0), 0);
  assert.equal(plugin.celsius(215), 21.5);
  assert.equal(plugin.celsius(0xffff), -0.1);
});

test('only a whole reply of function 3 or 4 has a register', () => {
  const reply = [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 215];
  assert.ok(plugin.hasRegister(lend(...reply)));
  assert.ok(plugin.hasRegister(lend(...reply.with(7, 4))));
  assert.ok(!plugin.hasRegister(lend(...reply.with(7, 0x83))));
  assert.ok(!plugin.hasRegister(lend(...reply.slice(0, 10))));
  assert.ok(!plugin.hasRegister(lend()));
});
