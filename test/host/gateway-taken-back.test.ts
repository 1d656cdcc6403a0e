import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { POISON } from '../support/devices/gateway-peers.js';
import { variant } from '../support/gateway/gateway-rig.js';
import { startAdminRig } from './admin/rig.js';

test('a file that was taken back by itself does not serve again after a restart, until somebody has it tried again', async t => {
  const rig = await startAdminRig(t);
  await rig.book.said(/modbus-json\.wasm serves \(generation 1/);
  const file = await variant('trap-modbus', { name: 'modbus-json', version: '2.0.0', accepts: ['modbus'] });
  await writeFile(join(rig.plugins, '.next'), file);
  await rename(join(rig.plugins, '.next'), join(rig.plugins, 'modbus-json.wasm'));
  await rig.book.said(/modbus-json\.wasm serves \(generation 2/);
  rig.plc.mark = () => POISON;
  await rig.book.line('SLUICE_PLUGIN_ROLLED_BACK');
  rig.plc.mark = () => 0;
  await rig.gateway.stop();

  const again = await startAdminRig(t, {}, [], 'modbus-json', () => 0, { at: rig.folder });
  const line = await again.book.line('SLUICE_PLUGIN_ROLLED_BACK');
  assert.match(
    line.msg,
    /modbus-json\.wasm: version 2\.0\.0 of modbus-json was taken back among its first frames \(SLUICE_GUEST_TRAP\), and this is the same file/,
  );
  await again.book.said(/version 0\.1\.0 of modbus-json, which served last, takes its place/);
  const serving = async (): Promise<string> =>
    (await again.ask('GET', '/v1/plugins/modbus-json')).body.version;
  await again.reaches(1, 'sluice_messages_total');
  assert.equal(await serving(), '0.1.0');

  const { status, body } = await again.ask('POST', '/v1/plugins/modbus-json/reset');
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(await serving(), '2.0.0');
});
