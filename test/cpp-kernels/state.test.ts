import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO, type Library, onBoth, type Piece } from './library.js';
import { noise } from './numbers.js';

type Run = (library: Library, state: Piece, samples: Float32Array, channels: number) => number[];

/** Kernels with a state: how a block is made, with one kind of settings or another, and how frames go through it. */
const KERNELS: readonly {
  readonly name: string;
  readonly channels: number;
  open(library: Library, other?: boolean): Piece;
  readonly run: Run;
}[] = [
  {
    name: 'fir',
    channels: 2,
    open: (l, other) => l.state('fir', [9, 2], [l.put(noise(9, other ? 2 : 1)), 9, 2]),
    run: asMany('fir'),
  },
  {
    name: 'biquad',
    channels: 1,
    open: (l, other) => l.state('biquad', [2, 1], [l.put(sections(other ? 0.4 : 0.5)), 2, 1]),
    run: asMany('biquad'),
  },
  {
    name: 'biquad',
    channels: 5,
    open: l => l.state('biquad', [2, 5], [l.put(sections(0.5)), 2, 5]),
    run: asMany('biquad'),
  },
  { name: 'average', channels: 3, open: l => l.state('average', [50, 3], [50, 3]), run: asMany('average') },
  {
    name: 'zscore',
    channels: 2,
    open: (l, other) => l.state('zscore', [20, 2], [20, 2, other ? 1 : 0.1]),
    run: asMany('zscore'),
  },
  {
    name: 'ewma',
    channels: 3,
    open: (l, other) => l.state('ewma', [3], [3, other ? 0.2 : 0.1, 4, 0.1]),
    run: asMany('ewma'),
  },
  { name: 'sliding', channels: 2, open: l => l.state('sliding', [20, 2], [20, 2]), run: deviations },
  {
    name: 'deadband',
    channels: 2,
    open: (l, other) => l.state('deadband', [2], [2, l.put(Float32Array.of(1, other ? 0 : 0.5))]),
    run: held,
  },
  {
    name: 'resample',
    channels: 2,
    open: l => l.state('resample', [3, 4, 4, 2], [3, 4, 4, 2]),
    run: resampled,
  },
  { name: 'window', channels: 2, open: l => l.state('window', [16, 2], [16, 5, 2]), run: windows },
];

function sections(a1: number): Float64Array {
  return Float64Array.of(0.5, 0.2, 0.1, -a1, 0.3, 1, 0, 0, 0.2, 0.1);
}

/** As many results as samples. */
function asMany(name: string): Run {
  return (library, state, samples, channels) => {
    const out = library.room(samples.byteLength);
    const answer = library.call(name, state, library.put(samples), samples.length / channels, out);
    return answer === ERRNO.OK ? [...library.floats(out)] : [answer];
  };
}

function deviations(library: Library, state: Piece, samples: Float32Array, channels: number): number[] {
  const out = library.room(samples.byteLength);
  const answer = library.call(
    'sliding',
    state,
    library.put(samples),
    samples.length / channels,
    0,
    0,
    0,
    out,
  );
  return answer === ERRNO.OK ? [...library.floats(out)] : [answer];
}

function held(library: Library, state: Piece, samples: Float32Array, channels: number): number[] {
  const out = library.room(samples.byteLength);
  const passed = library.room(4);
  const answer = library.call(
    'deadband',
    state,
    library.put(samples),
    samples.length / channels,
    out,
    passed,
  );
  return answer === ERRNO.OK ? [...library.floats(out)] : [answer];
}

function resampled(library: Library, state: Piece, samples: Float32Array, channels: number): number[] {
  const written = library.room(4);
  const out = library.room(samples.byteLength + 64);
  const room = samples.length / channels + 4;
  const answer = library.call(
    'resample',
    state,
    library.put(samples),
    samples.length / channels,
    out,
    room,
    written,
  );
  return answer === ERRNO.OK ? [...library.floats(out, library.word(written) * channels)] : [answer];
}

function windows(library: Library, state: Piece, samples: Float32Array, channels: number): number[] {
  const used = library.room(4);
  const columns = library.room(4);
  const all: number[] = [];
  for (let at = 0; at < samples.length; ) {
    const left = library.put(samples.subarray(at));
    const answer = library.call('window', state, left, left.bytes / 4 / channels, used, columns);
    if (answer !== ERRNO.OK) return [answer];
    at += library.word(used) * channels;
    const full = library.word(columns);
    if (full !== 0) all.push(...library.floats({ at: full, bytes: 16 * channels * 4 }));
  }
  return all;
}

function handOver(library: Library, from: Piece, to: Piece): number {
  const room = library.room(32768);
  const written = library.room(4);
  library.run('export', from, room, room.bytes, written);
  return library.call(
    'import',
    to,
    library.put(library.bytes(room, library.word(written)), 3),
    library.word(written),
  );
}

for (const { name, channels, open, run } of KERNELS) {
  test(`${name} of ${channels} channels: a stream that is handed over goes on as if nothing had been`, () => {
    onBoth(library => {
      const samples = noise(120 * channels, 6);
      const middle = 71 * channels;
      const whole = run(library, open(library), samples, channels);
      const first = open(library);
      const before = run(library, first, samples.subarray(0, middle), channels);
      const second = open(library);
      assert.equal(handOver(library, first, second), ERRNO.OK);
      const behind = run(library, second, samples.subarray(middle), channels);
      assert.deepEqual([...before, ...behind], whole);
      return whole;
    });
  });
}

test('new settings take over the memory of the old ones, if the sizes are the same', () => {
  for (const { open } of KERNELS) {
    onBoth(library => {
      assert.equal(handOver(library, open(library), open(library, true)), ERRNO.OK);
    });
  }
});

test('what another kernel, other sizes or other channels have left, and what is cut off, is EINVAL and changes nothing', () => {
  onBoth(library => {
    const taps = library.put(noise(16));
    const fir = library.state('fir', [8, 2], [taps, 8, 2]);
    const others = [
      library.state('fir', [9, 2], [taps, 9, 2]),
      library.state('fir', [8, 1], [taps, 8, 1]),
      library.state('ewma', [2], [2, 0.1, 0, 1]),
    ];
    const before = library.bytes(fir);
    for (const other of others) assert.equal(handOver(library, other, fir), ERRNO.EINVAL);
    const room = library.room(4096);
    const written = library.room(4);
    library.run('export', fir, room, 4096, written);
    const length = library.word(written);
    assert.equal(library.call('import', fir, room, length - 1), ERRNO.EINVAL);
    assert.equal(library.call('import', fir, room, length + 4), ERRNO.EINVAL);
    assert.equal(library.call('import', fir, room, 0), ERRNO.EINVAL);
    assert.equal(library.call('export', fir, room, length - 1, written), ERRNO.ENOSPC);
    assert.deepEqual(library.bytes(fir), before);
  });
});

test('a block that is damaged in any word is refused or used, and never a trap or a byte outside of it', () => {
  const values = [0, 1, 0x7fffffff, 0xffffffff, 0x40000000, 65, 31];
  for (const { channels, open, run } of KERNELS) {
    onBoth(library => {
      library.begin();
      const state = open(library);
      const good = library.bytes(state);
      const words = Math.min(state.bytes / 4, 40);
      const memory = new DataView(library.memory).getUint32(state.at + 24, true) / 4;
      for (const word of [...Array(words).keys(), memory, memory + 1, memory + 2]) {
        for (const value of values) {
          new Uint8Array(library.memory).set(good, state.at);
          new DataView(library.memory).setUint32(state.at + word * 4, value, true);
          library.forgetBehind(state);
          run(library, state, noise(30 * channels), channels);
          const room = library.room(4);
          assert.ok(library.call('export', state, room, 0, room) <= ERRNO.EFAULT);
        }
      }
    });
  }
});
