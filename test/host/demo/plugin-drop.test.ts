import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PluginDrop } from '../../../host/demo/plugin-drop.js';
import { UnitMeter } from '../../../host/demo/unit-meter.js';
import { UnitTrack } from '../../../host/demo/unit-track.js';
import { withBody } from '../../../host/demo/wasm-body.js';
import { readManifest } from '../../../runtime/index.js';
import { guestFile, tempFolder } from '../../support/gateway/gateway-rig.js';

test('an upgrade puts the same code under the next version into the folder', async t => {
  const folder = await tempFolder(t);
  const bytes = await readFile(guestFile('modbus-json'));
  const before = readManifest(bytes)!;
  const drop = new PluginDrop(folder, 'a.wasm', bytes);
  await drop.upgrade();
  await drop.upgrade();
  const after = readManifest(await readFile(join(folder, 'a.wasm')))!;
  const [major, minor, patch] = before.manifest.version.split('.');
  assert.equal(after.manifest.version, `${major}.${Number(minor) + 2}.${patch}`);
  assert.equal(after.manifest.sha256, before.manifest.sha256);
});

test('every bad file is another one, and all of them come again', async t => {
  const folder = await tempFolder(t);
  const drop = new PluginDrop(folder, 'a.wasm', await readFile(guestFile('modbus-json')));
  const said: string[] = [];
  const files = new Set<string>();
  for (let i = 0; i < 7; i++) {
    said.push((await drop.spoil()).what);
    files.add((await readFile(join(folder, 'a.wasm'))).toString('base64'));
  }
  assert.equal(files.size, 6);
  assert.equal(said[6], said[0]);
});

test('a function with another body is a valid module that does what the body says', async () => {
  const bytes = await readFile(guestFile('modbus-json'));
  const code = bytes.subarray(0, readManifest(bytes)!.end);
  const module = new WebAssembly.Module(Buffer.from(withBody(code, 'flush', Uint8Array.of(0, 0, 0x0b))));
  const { exports } = new WebAssembly.Instance(module, { $root: { log: () => {} } });
  assert.throws(() => (exports.flush as (now: bigint) => number)(0n), WebAssembly.RuntimeError);
  assert.ok((exports.sluice_arena as (size: number) => number)(16) > 0);
});

test('a function that is not there cannot be changed', async () => {
  const bytes = await readFile(guestFile('modbus-json'));
  const code = bytes.subarray(0, readManifest(bytes)!.end);
  assert.throws(() => withBody(code, 'nothing', Uint8Array.of(0, 0, 0x0b)), {
    code: 'SLUICE_MODULE_MALFORMED',
  });
});

test('a unit has a rate, and a fault for each reply that has no message after a second', () => {
  const track = new UnitTrack();
  let sent = 0;
  const meter = new UnitMeter(track, () => sent);
  for (let now = 0; now <= 3000; now += 250) {
    sent += 5;
    // Every fifth reply stays without a message.
    for (let i = 0; i < 4; i++) track.take(sent - i, 1);
    meter.read(now);
  }
  assert.equal(meter.perSecond, 16);
  // 45 had been sent a second before; 52 of the 65 came.
  assert.equal(meter.faults, 0);
  meter.read(4000);
  assert.equal(meter.faults, 13);
});
