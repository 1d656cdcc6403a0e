import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatsIn, type GivenBlock, KernelGuest, type LentBlock } from './kernel-guest.js';
import { noise } from './numbers.js';

const STREAMS: readonly { readonly name: string; readonly config: unknown; readonly channels: number }[] = [
  { name: 'filter', config: { taps: [...noise(31)] }, channels: 3 },
  { name: 'filter', config: { lowpass: 800, highpass: 20 }, channels: 1 },
  { name: 'filter', config: { average: 12 }, channels: 5 },
  { name: 'scale', config: { deadband: 0.7 }, channels: 2 },
  { name: 'resample', config: { to: 7000 }, channels: 2 },
  { name: 'rms', config: { window: 50, hop: 20 }, channels: 2 },
  { name: 'features', config: { window: 50, hop: 70, features: ['rms', 'kurtosis'] }, channels: 2 },
  { name: 'vibration-window', config: { size: 64, hop: 16 }, channels: 3 },
  { name: 'anomaly', config: { weight: 0.05, settle: 4 }, channels: 4 },
  { name: 'anomaly', config: { window: 30 }, channels: 1 },
  {
    name: 'vibration',
    config: { size: 64, hop: 32, features: ['rms', 'crest'], bands: [[100, 900]], weight: 0.1, settle: 2 },
    channels: 2,
  },
];

/** Blocks of two topics in turn, of lengths that fit no window. */
function blocksOf(channels: number): LentBlock[] {
  return Array.from({ length: 24 }, (_, i) => ({
    samples: noise(channels * (17 + (i % 5)), i + 1),
    channels,
    rate: 8000,
    topic: i % 2 === 0 ? 'a' : 'b',
  }));
}

function outputs(guest: KernelGuest, blocks: readonly LentBlock[]): number[][] {
  return blocks.map(block => [...floatsIn(guest.process(block) as GivenBlock)]);
}

for (const { name, config, channels } of STREAMS) {
  test(`${name} ${JSON.stringify(config).slice(0, 40)}: reloaded in mid-stream, also by the other build, the output is that of a run without a reload`, () => {
    const blocks = blocksOf(channels);
    const whole = outputs(new KernelGuest(name, config), blocks);
    for (const [from, to] of [
      [name, name],
      [name, `${name}-scalar`],
      [`${name}-scalar`, name],
    ] as const) {
      const old = new KernelGuest(from, config);
      const before = outputs(old, blocks.slice(0, 11));
      const next = new KernelGuest(to, config);
      next.importState(old.exportState());
      assert.deepEqual([...before, ...outputs(next, blocks.slice(11))], whole);
      assert.deepEqual(next.log, []);
    }
  });
}

test('streams whose kernel has other sizes now begin anew, and the log says so; the others go on', () => {
  const old = new KernelGuest('filter', { taps: [1, 1, 1] });
  outputs(old, [{ samples: noise(10) }]);
  const next = new KernelGuest('filter', { taps: [1, 1] });
  next.importState(old.exportState());
  assert.deepEqual(next.log, ['line x: begins anew: its kernel has other sizes than before the reload']);
  assert.deepEqual(outputs(next, [{ samples: Float32Array.of(1, 1) }]), [[1, 2]]);
});

test('a plugin without streams exports nothing and takes that', () => {
  const guest = new KernelGuest('rms', { window: 4 });
  const state = guest.exportState();
  assert.equal(state.bytes.length, 0);
  guest.importState(state);
});

test('a state of another version, cut off or damaged anywhere, is refused with words or taken, and never a trap', () => {
  const old = new KernelGuest('vibration', { size: 16, rate: 100, features: ['rms'], weight: 0.1 });
  outputs(old, [{ samples: noise(40), channels: 2, rate: 100 }]);
  const { version, bytes } = old.exportState();
  const fresh = (): KernelGuest =>
    new KernelGuest('vibration', { size: 16, rate: 100, features: ['rms'], weight: 0.1 });
  assert.throws(() => fresh().importState({ version: 99, bytes }), /the form of another version/);
  for (let length = 1; length < bytes.length; length += 7)
    assert.throws(
      () => fresh().importState({ version, bytes: bytes.subarray(0, length) }),
      /cut off or damaged/,
    );
  for (let at = 0; at < 200; at += 4) {
    for (const value of [0, 0xffffffff, 0x7fffffff, 1 << 20]) {
      const damaged = bytes.slice();
      new DataView(damaged.buffer).setUint32(at, value, true);
      const guest = fresh();
      try {
        guest.importState({ version, bytes: damaged });
      } catch (error) {
        assert.match(String(error), /cut off or damaged/);
      }
      assert.ok(guest.process({ samples: noise(40), channels: 2, rate: 100 }));
    }
  }
});
