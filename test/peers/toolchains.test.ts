import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readManifest } from '../../runtime/index.js';
import { EMSCRIPTEN_TREE } from '../../scripts/peers/emscripten.js';
import { buildAll } from '../../scripts/wasm/build.js';
import { floatsIn, type GivenBlock, KernelGuest } from '../cpp-kernels/kernel-guest.js';
import { noise } from '../cpp-kernels/numbers.js';

/** What between them calls nearly every kernel: decode, biquads, FIR, windows, FFT, bands, features, scores. */
const PLUGINS: readonly (readonly [plugin: string, config: object, channels: number])[] = [
  ['filter', { lowpass: 800, highpass: 20, order: 5, input: 'i16be', channels: 3, rate: 8000 }, 3],
  ['filter', { taps: [...noise(77, 5)], input: 'u32cdab', channels: 2 }, 2],
  ['resample', { to: 7000, input: 'i32badc', rate: 8000 }, 1],
  ['tones', { size: 500, frequencies: [60, 123.4], rate: 8000 }, 1],
  [
    'vibration',
    {
      size: 512,
      hop: 128,
      input: 'u16',
      channels: 2,
      rate: 8000,
      features: ['rms', 'peak', 'crest', 'kurtosis', 'mean', 'deviation'],
      bands: [[100, 900]],
      weight: 0.1,
      settle: 2,
    },
    2,
  ],
];
const NAMES = [...new Set(PLUGINS.map(([name]) => name))].flatMap(name => [name, `${name}-scalar`]);

/** Builds the plugins as `npm run build:wasm` would in this environment. */
async function built(t: TestContext, environment: Record<string, string>): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'sluice-toolchain-'));
  t.after(() => rm(out, { recursive: true }));
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    await buildAll({ out, only: NAMES, force: true });
  } finally {
    process.env = before;
  }
  return join(out, 'plugins');
}

/** Bits of all that a build gives for the same blocks. */
function results(name: string, config: object, channels: number, folder?: URL): Uint32Array[] {
  const guest = new KernelGuest(name, config, folder);
  return Array.from({ length: 6 }, (_, i) => {
    const samples = noise(1000 * channels, i + 1);
    const given = guest.process(
      name.startsWith('tones') ? { samples } : { bytes: new Uint8Array(samples.buffer) },
    ) as GivenBlock;
    assert.notEqual(typeof given, 'string', `${name}: ${given}`);
    return new Uint32Array(floatsIn(given).slice().buffer);
  });
}

function agrees(folder: string, toolchain: RegExp): void {
  const url = pathToFileURL(`${folder}/`);
  for (const [plugin, config, channels] of PLUGINS) {
    const ours = results(plugin, config, channels);
    assert.ok(ours.some(bits => bits.length > 0));
    for (const name of [plugin, `${plugin}-scalar`])
      assert.deepEqual(results(name, config, channels, url), ours, `${name} gives other bits`);
  }
  for (const name of NAMES) {
    const manifest = (file: URL | string) => readManifest(readFileSync(file))?.manifest;
    const theirs = manifest(join(folder, `${name}.wasm`));
    assert.match(theirs?.toolchain ?? '', toolchain);
    assert.equal(theirs?.source, manifest(new URL(`../../plugins/${name}.wasm`, import.meta.url))?.source);
  }
}

test('clang 19 of Debian: the same results bit by bit as @yowasp/clang, its name in the manifest, and the same file twice', async t => {
  const environment = { SLUICE_CXX: '/usr/bin/clang++-19' };
  const [one, two] = [await built(t, environment), await built(t, environment)];
  agrees(one, /clang version 19\./);
  for (const name of NAMES)
    assert.ok(
      readFileSync(join(one, `${name}.wasm`)).equals(readFileSync(join(two, `${name}.wasm`))),
      `${name} differs from build to build`,
    );
});

test('emscripten, found through a tree as emsdk makes it: the same results bit by bit', async t => {
  const tree = process.env.EMSDK ?? EMSCRIPTEN_TREE;
  const cxx = join(tree, 'upstream/emscripten/em++');
  const version = execFileSync(cxx, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
  const folder = await built(t, { EMSDK: tree });
  agrees(folder, /^emcc/);
  assert.equal(readManifest(readFileSync(join(folder, 'filter.wasm')))?.manifest.toolchain, version);
});
