import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountingPlc, Subscriber } from '../support/devices/gateway-peers.js';
import { guestFile, modbus, startGateway, variant } from '../support/gateway/gateway-rig.js';

/** Two routes on one device: what happens to the plugin of the first must not be seen in either. */
async function scene(t: TestContext) {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      // A busy machine must not look like a slow plugin.
      plugins: { deadline: '10s', startDeadline: '300ms' },
      sources: { line1: modbus(plc.port), line2: modbus(plc.port, { units: 2 }) },
      routes: [
        { from: 'line1', through: ['modbus-json'] },
        { from: 'line2', through: ['echo'] },
      ],
    },
    ['modbus-json', 'echo'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  /** Both routes go on, and neither has lost or repeated anything. */
  const unharmed = async (after: string): Promise<void> => {
    for (const unit of ['line1/1', 'line2/2']) {
      const { replies } = plc;
      await seen.until(`${unit} after ${after}`, () => seen.highest(unit) > replies / 2);
      assert.deepEqual([seen.gaps(unit), seen.repeated(unit)], [[], []], `${unit} after ${after}`);
    }
  };
  /** Puts a file in the place of modbus-json, as one does who is careful. */
  const put = async (bytes: Uint8Array): Promise<void> => {
    const temporary = join(rig.plugins, '.new');
    await writeFile(temporary, bytes);
    await rename(temporary, join(rig.plugins, 'modbus-json.wasm'));
  };
  return { ...rig, plc, seen, unharmed, put };
}

test('whatever is put in the place of a plugin: a code, a counter, a remedy, and both routes go on as they were', async t => {
  const rig = await scene(t);
  const good = await readFile(guestFile('modbus-json'));
  const zeros = Buffer.concat([Buffer.from('0061736d01000000', 'hex'), Buffer.alloc(10e6)]);
  const guest = (name: string): Promise<Uint8Array> => variant(name, { name: 'modbus-json' });
  // The folder refuses the first, the route the others.
  const [folder, route] = ['sluice_plugin_files_refused_total', 'sluice_plugin_faults_total'];
  const files: [what: string, code: string, metric: string, bytes: Uint8Array][] = [
    ['an empty file', 'SLUICE_MODULE_NOT_WASM', folder, Buffer.alloc(0)],
    ['a text', 'SLUICE_MODULE_NOT_WASM', folder, Buffer.from('hello plant')],
    ['10 MB of zeros behind the magic', 'SLUICE_MODULE_MALFORMED', folder, zeros],
    ['a truncated file', 'SLUICE_MODULE_MALFORMED', folder, good.subarray(0, 1000)],
    ['another contract', 'SLUICE_ABI_UNSUPPORTED', folder, await readFile(guestFile('wrong-abi'))],
    ['an unknown import', 'SLUICE_MODULE_IMPORT', route, await guest('bad-import')],
    ['a missing export', 'SLUICE_MODULE_EXPORT', route, await guest('missing-export')],
    ['an export of another type', 'SLUICE_MODULE_EXPORT', route, await guest('wrong-type')],
    ['4 GiB of memory', 'SLUICE_MODULE_MEMORY', route, await guest('huge-memory')],
    ['a table of 10 million', 'SLUICE_MODULE_TABLE', route, await guest('huge-table')],
    ['an endless start', 'SLUICE_GUEST_DEADLINE', route, await guest('spin-at-start')],
    ['an endless configure', 'SLUICE_GUEST_DEADLINE', route, await guest('spin-at-configure')],
  ];
  const counts = new Map<string, number>();
  for (const [what, code, metric, bytes] of files) {
    await rig.put(bytes);
    counts.set(code, (counts.get(code) ?? 0) + 1);
    await rig.reaches(counts.get(code) as number, metric, { code });
    await rig.unharmed(what);
    const where = metric === route ? { route: 'line1' } : {};
    const [line] = rig.book.of(code, where);
    assert.ok(String(line?.remedy).length > 20, what);
    if (metric === route)
      assert.match(line?.msg ?? '', /is refused: .*; the version before it serves on$/, what);
  }
  assert.equal((await rig.ready()).ready, true);
});

test('a plugin folder that vanishes stops nothing, is said, and works again when it is back', async t => {
  const rig = await scene(t);
  await rig.unharmed('the start');
  await rename(rig.plugins, `${rig.plugins}.away`);
  await rig.book.said(/modbus-json\.wasm \(modbus-json\) is gone; the version of it in memory serves on/);
  await rig.unharmed('its end');
  assert.equal((await rig.ready()).ready, true);
  await rename(`${rig.plugins}.away`, rig.plugins);
  await rig.put(await variant('modbus-json', { version: '9.0.0' }));
  await rig.reaches(1, 'sluice_plugin_swaps_total', { plugin: 'modbus-json' });
  await rig.unharmed('its return');
});
