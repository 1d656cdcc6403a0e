import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { parse } from 'yaml';
import { recording } from '../../scripts/vibration/recording.js';
import { RestartableBroker, Waiting } from '../support/devices/gateway-peers.js';
import { makeGateway } from '../support/gateway/gateway-rig.js';

// This file is dist/test/host/gateway-vibration.test.js.
const EXAMPLE = new URL('../../../examples/vibration/sluice.yaml', import.meta.url);
const PLUGINS = ['vibration-window', 'fft', 'band-power', 'anomaly', 'block-json'];

interface Written {
  readonly routes: readonly {
    readonly through: readonly (string | { readonly plugin: string; config: object })[];
  }[];
  readonly [section: string]: unknown;
}

/** The example as it is written, at another broker. */
async function example(port: number): Promise<Written> {
  const text = await readFile(EXAMPLE, 'utf8');
  return parse(text.replaceAll('127.0.0.1:1883', `127.0.0.1:${port}`)) as Written;
}

async function dropPlugins(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of PLUGINS) {
    const file = fileURLToPath(new URL(`../../plugins/${name}.wasm`, import.meta.url));
    await copyFile(file, join(folder, `${name}.wasm`));
  }
}

/** Values of the messages under `<what>/vibration/pump1`, one list a window. */
class Results extends Waiting {
  readonly lists = { bands: [] as number[][], scores: [] as number[][] };

  static async at(t: TestContext, port: number): Promise<Results> {
    const results = new Results();
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
    t.after(() => client.endAsync(true));
    client.on('message', (topic, payload) => {
      const list = topic === 'bands/vibration/pump1' ? results.lists.bands : results.lists.scores;
      const { values, channels } = JSON.parse(payload.toString()) as { values: number[]; channels: number };
      for (let at = 0; at < values.length; at += channels) list.push(values.slice(at, at + channels));
      results.changed();
    });
    await client.subscribeAsync(['bands/#', 'scores/#']);
    return results;
  }
}

test('the example of vibration: power in bands of three axes, and a score that is low until the bearing has its dent', async t => {
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const results = await Results.at(t, broker.port);
  const rig = await makeGateway(t, await example(broker.port));
  await dropPlugins(rig.plugins);
  await rig.gateway.start();
  const sensor = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  t.after(() => sensor.endAsync(true));
  while (!(await rig.ready()).ready);
  for (const block of recording(2.4, 2.1)) await sensor.publishAsync('vibration/pump1', block, { qos: 1 });
  const { bands, scores } = results.lists;
  const windows = Math.floor((2.4 * 25_600 - 4096) / 2048) + 1;
  await results.until(`${windows} windows`, () => bands.length >= windows && scores.length >= windows);
  assert.equal(bands.length, windows);
  const [before, after] = [bands[10]!, bands.at(-1)!];
  // x: 900 / sqrt(2) of the shaft and a little of its harmonic; in the third band noise, and then the ringing.
  assert.ok(Math.abs(before[0]! - Math.hypot(900, 270) / Math.SQRT2) < 10, `${before[0]}`);
  assert.ok(before[2]! < 50 && after[2]! > 400, `${before[2]} and ${after[2]}`);
  // The dent comes within window 25, and what is usual is known behind window 20.
  const quiet = Math.max(...scores.slice(20, 24).flat().map(Math.abs));
  const loud = Math.max(...scores.slice(25).map(list => Math.abs(list[2]!)));
  assert.ok(quiet < 8 && loud > 4 * quiet, `${quiet} before, ${loud} behind`);
});

test('the example with a stage left out is refused, and the words say what belongs in between', async t => {
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const { routes, ...config } = await example(broker.port);
  const through = routes[0]!.through.filter(step => typeof step === 'string' || step.plugin !== 'fft');
  const rig = await makeGateway(t, { ...config, routes: [{ ...routes[0], through }] });
  await dropPlugins(rig.plugins);
  await rig.gateway.start();
  const line = await rig.book.line('SLUICE_CHAIN_PORTS');
  assert.match(line.msg, /vibration-window gives windows, and band-power takes spectra: put fft in between/);
  const [trouble] = await rig.degraded('SLUICE_ROUTE_UNSERVED');
  assert.match(trouble!, /its plugins are refused; its frames wait on the disk/);
});
