import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DirectRunner, loadStage } from '../support/chain/direct-runner.js';
import {
  allVectors,
  CONFIGURE_LOG,
  CONFORMANCE_GUESTS,
  largeBatch,
  type Outcome,
  outcomeHash,
  plainVectors,
  refusedConfigurations,
  twelveRegisters,
} from './vectors.js';

const BATCH = 1024;
const rows: { language: string; way: string; hash: string; nanoseconds: number }[] = [];

/** Runs all frames in batches, as the product does. */
function runAll(
  runner: DirectRunner,
  frames: readonly Parameters<DirectRunner['run']>[0][number][],
): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < frames.length; at += BATCH)
    outcomes.push(...runner.run(frames.slice(at, at + BATCH)));
  return outcomes;
}

for (const { language, way, file } of CONFORMANCE_GUESTS) {
  test(`${language} as a ${way} gives the expected outcome for every vector`, async () => {
    const runner = new DirectRunner([await loadStage(file, {})]);
    for (const { name, frame, outcome } of plainVectors()) {
      assert.deepEqual(runner.run([frame]), [outcome], name);
    }
  });

  test(`${language} as a ${way} gives the expected outcomes for large batches`, async () => {
    const runner = new DirectRunner([await loadStage(file, {})]);
    const batch = largeBatch(2000);
    const vectors = plainVectors();
    const all = [...vectors, ...batch];
    const outcomes = runAll(
      runner,
      all.map(({ frame }) => frame),
    );
    const wanted = outcomeHash(all.map(({ outcome }) => outcome));
    const hash = outcomeHash(outcomes);
    const count = way === 'component' ? 256 : BATCH;
    rows.push({ language, way, hash, nanoseconds: runner.time(twelveRegisters(), count) });
    assert.equal(hash, wanted);
  });

  test(`${language} as a ${way} logs through the one import when it is configured`, async () => {
    const lines: [number, string][] = [];
    await loadStage(file, {}, (level, text) => lines.push([level, text]));
    assert.deepEqual(lines, [[2, CONFIGURE_LOG]]);
  });
}

test('modbus-json gives the expected outcome for every vector with tags', async () => {
  for (const { name, config, frame, outcome } of allVectors()) {
    const runner = new DirectRunner([await loadStage('plugins/modbus-json.wasm', config)]);
    assert.deepEqual(runner.run([frame]), [outcome], name);
  }
});

test('modbus-json refuses every bad configuration with a text that names the place', async () => {
  for (const { config, text } of refusedConfigurations()) {
    await assert.rejects(
      loadStage('plugins/modbus-json.wasm', config),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SLUICE_GUEST_CONFIG');
        assert.ok(error.message.includes(text), `${error.message} names ${text}`);
        return true;
      },
    );
  }
});

after(() => {
  process.stdout.write(
    '\nThe same converter, the same vectors (12 registers, packing and checks included):\n',
  );
  for (const { language, way, hash, nanoseconds } of rows) {
    const speed = nanoseconds.toFixed(0).padStart(6);
    process.stdout.write(
      `  ${language.padEnd(16)}${way.padEnd(13)}${speed} ns a frame   sha256 ${hash.slice(0, 16)}\n`,
    );
  }
});
