import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc16Modbus, crc32c } from '../../cpp-kernels/reference/crc.js';
import { decode } from '../../cpp-kernels/reference/decode.js';
import { fir } from '../../cpp-kernels/reference/filters.js';
import { crest, kurtosis, rms, spread } from '../../cpp-kernels/reference/windows.js';
import { bothBuilds, bytesOf, floatsIn, KernelGuest, type LentBlock } from './kernel-guest.js';
import { noise } from './numbers.js';

/** Floats of the results of both builds for blocks in turn; an errno as its name. */
function run(plugin: string, config: unknown, blocks: readonly LentBlock[]): (number[] | string)[] {
  return bothBuilds(
    suffix => {
      const guest = new KernelGuest(plugin + suffix, config);
      return blocks.map(block => {
        const given = guest.process(block);
        return typeof given === 'string' ? given : [...floatsIn(given)];
      });
    },
    (simd, scalar) => assert.deepEqual(simd, scalar),
  );
}

function sine(frequency: number, rate: number, count: number, amplitude = 1): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / rate),
  );
}

const largest = (list: ArrayLike<number>): number =>
  Array.from(list).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const near = (is: number, wanted: number, within: number): void =>
  assert.ok(Math.abs(is - wanted) <= within, `${is}, not ${wanted}`);

test('decode: raw samples behind a header become interleaved floats of a rate', () => {
  const bytes = Uint8Array.from({ length: 9 + 3 * 2 * 20 }, (_, i) => i * 37);
  const guest = new KernelGuest('decode', { input: 'i16cdab', skip: 9, channels: 3, rate: 25600 });
  const block = guest.process({ bytes, off: 5 });
  assert.ok(typeof block !== 'string');
  assert.deepEqual([block.format, block.channels, block.rate], ['f32', 3, 25600]);
  assert.deepEqual(floatsIn(block), decode(bytes.subarray(9), 60, 2, 'i16', 'cdab'));
  assert.equal(guest.process({ bytes: bytes.subarray(1) }), 'EINVAL');
  assert.equal(guest.process({ samples: new Float32Array(3), channels: 3 }), 'EINVAL');
});

test('scale: gain and offset for each channel, bounds for all; a deadband tells nothing where nothing moves', () => {
  const config = { gain: [2, 10], offset: 1, least: 0, most: 50 };
  const samples = Float32Array.of(1, 1, -3, 2, 30, 7);
  assert.deepEqual(run('scale', config, [{ samples, channels: 2 }]), [[3, 11, 0, 21, 50, 50]]);
  assert.deepEqual(run('scale', config, [{ samples, channels: 3 }]), ['EINVAL']);
  const steps = [10, 10.4, 10.6, 9.5, 20].map(x => ({ samples: Float32Array.of(x) }));
  assert.deepEqual(run('scale', { deadband: 0.5 }, steps), [[10], [], [Math.fround(10.6)], [9.5], [20]]);
});

test('filter: taps give what the kernel gives, blocks of a topic go on where the last one ended', () => {
  const taps = noise(7, 3);
  const samples = noise(40, 5);
  const [one, other] = [samples.subarray(0, 22), samples.subarray(22)];
  const results = run('filter', { taps: [...taps] }, [
    { samples: one, channels: 2 },
    { samples: noise(6), channels: 2, topic: 'y' },
    { samples: other, channels: 2 },
  ]);
  const exact = fir(samples, taps, 2);
  [...(results[0] as number[]), ...(results[2] as number[])].forEach((x, i) => {
    near(x, exact[i]?.value as number, 1e-6);
  });
});

test('filter: by frequency it passes what it should, for the rate of the block', () => {
  const rate = 8000;
  const through = (config: unknown, frequency: number): number =>
    largest(
      (run('filter', config, [{ samples: sine(frequency, rate, 8000), rate }])[0] as number[]).slice(6000),
    );
  near(through({ lowpass: 500, order: 4 }, 50), 1, 0.01);
  near(through({ lowpass: 500, order: 4 }, 500), Math.SQRT1_2, 0.01);
  near(through({ lowpass: 500, order: 4 }, 2000), 0, 0.004);
  near(through({ highpass: 500, order: 3 }, 50), 0, 0.0015);
  near(through({ highpass: 100, lowpass: 1000 }, 300), 1, 0.02);
  near(through({ notch: 50, width: 10 }, 50), 0, 1e-4);
  near(through({ notch: 50, width: 10 }, 200), 1, 0.01);
  near(through({ average: 16 }, 500), 0, 1e-6);
});

test('filter: a rate that is not known, or too low for the filter, is EINVAL or EDOM, and the log says why', () => {
  const guest = new KernelGuest('filter', { lowpass: 500 });
  const samples = new Float32Array(4);
  assert.equal(guest.process({ samples }), 'EINVAL');
  assert.equal(guest.process({ samples }), 'EINVAL');
  assert.match(guest.log.join('\n'), /^line x: a filter by frequency has to know the sample rate.*$/);
  assert.equal(guest.process({ samples, topic: 'y', rate: 1000 }), 'EDOM');
  assert.match(guest.log[1] ?? '', /below half of the sample rate/);
  assert.ok(typeof guest.process({ samples, rate: 8000 }) !== 'string');
});

test('resample: to a rate, or by a fraction; the block that comes out says its rate', () => {
  const guest = new KernelGuest('resample', { to: 48000 });
  const block = guest.process({ samples: sine(1000, 44100, 4410), rate: 44100 });
  assert.ok(typeof block !== 'string');
  assert.deepEqual([block.rate, block.bytes.length / 4], [48000, 4800]);
  assert.equal(guest.process({ samples: new Float32Array(4), rate: 44100.5 }), 'EDOM');
  assert.equal(guest.process({ samples: new Float32Array(4) }), 'EINVAL');
  const [halved] = run('resample', { up: 1, down: 2 }, [{ samples: noise(300), channels: 3 }]);
  assert.equal(halved?.length, 150);
});

test('features: each channel of each window, in the order that was asked for', () => {
  const samples = noise(64 * 3, 9);
  const words = ['kurtosis', 'rms', 'least', 'crest', 'deviation', 'mean', 'most', 'peak'];
  const blocks = [samples.subarray(0, 90), samples.subarray(90)].map(part => ({
    samples: part,
    channels: 3,
  }));
  const [first, second] = run('features', { window: 20, hop: 10, features: words }, blocks) as number[][];
  const rows = [...(first as number[]), ...(second as number[])];
  assert.equal(rows.length, 5 * 3 * 8);
  const column = samples.filter((_, i) => i % 3 === 1).subarray(10, 30);
  const s = spread(column);
  const exact = [kurtosis(column), rms(column), s.least, crest(column), s.deviation, s.mean, s.most];
  for (const [i, value] of exact.entries()) near(rows[(1 * 3 + 1) * 8 + i] as number, value, 1e-6);
});

test('features: the rest of a window comes at a flush, if it is asked for', () => {
  for (const [flush, wanted] of [
    [true, [[2, 4]]],
    [false, []],
  ] as const) {
    const guest = new KernelGuest('features', { window: 8, features: ['mean'], flush });
    guest.process({ samples: Float32Array.of(1, 3, 3, 5), channels: 2, timestamp: 7n });
    const blocks = guest.flush();
    assert.deepEqual(
      blocks.map(block => [...floatsIn(block)]),
      wanted,
    );
    if (flush) assert.deepEqual([blocks[0]?.topic, blocks[0]?.timestamp], ['x', 7n]);
    assert.deepEqual(guest.flush(), []);
  }
});

const RATE = 25600;
const WINDOW = { size: 1024, hop: 512 };
/** Two channels: 1 at 1,000 Hz, and 0.5 at 3,000 Hz beside 4 of constant. */
const twoTones = ((): Float32Array => {
  const [one, other] = [sine(1000, RATE, 3000), sine(3000, RATE, 3000, 0.5)];
  return Float32Array.from({ length: 6000 }, (_, i) => (i % 2 === 0 ? one[i >> 1]! : other[i >> 1]! + 4));
})();
const BANDS = [
  [900, 1100],
  [2900, 3100],
];

/** vibration-window, and what follows it, block by block. */
function chain(
  suffix: string,
  config: unknown,
  stages: readonly [string, unknown][],
  blocks: readonly LentBlock[],
): number[] {
  const guests = [
    new KernelGuest(`vibration-window${suffix}`, config),
    ...stages.map(([name, more]) => new KernelGuest(name + suffix, more)),
  ];
  return blocks.flatMap(first => {
    let block = first;
    for (const guest of guests) {
      const given = guest.process(block);
      if (typeof given === 'string') throw new Error(given);
      block = { samples: floatsIn(given), channels: given.channels, rate: given.rate };
    }
    return [...(block.samples as Float32Array)];
  });
}

function chained(
  config: unknown,
  stages: readonly [string, unknown][],
  blocks: readonly LentBlock[],
): number[] {
  return bothBuilds(
    suffix => chain(suffix, config, stages, blocks),
    (simd, scalar) => assert.deepEqual(simd, scalar),
  );
}

const pieces = [0, 1400, 1402, 6000].slice(1).map((end, i, ends) => twoTones.subarray(ends[i - 1] ?? 0, end));
const asBytes = pieces.map(piece => ({ bytes: bytesOf(piece), off: 3 }));

test('vibration-window, fft and band-power behind each other: half the square of the amplitude is in the band of its tone', () => {
  const config = { ...WINDOW, channels: 2, rate: RATE };
  const results = chained(
    config,
    [
      ['fft', { size: 1024 }],
      ['band-power', { size: 1024, bands: BANDS }],
    ],
    asBytes,
  );
  assert.equal(results.length, 4 * 4);
  for (let window = 0; window < 4; window++) {
    const [xLow, xHigh, yLow, yHigh] = results.slice(4 * window) as [number, number, number, number];
    near(xLow, 0.5, 0.005);
    near(xHigh, 0, 1e-6);
    near(yLow, 0, 1e-3);
    near(yHigh, 0.125, 0.002);
  }
});

test('tones: amplitudes at single frequencies, and the mean at 0 Hz', () => {
  const config = { ...WINDOW, channels: 2, rate: RATE };
  const results = chained(config, [['tones', { size: 1024, frequencies: [0, 1000, 3000] }]], asBytes);
  for (const [i, wanted] of [0, 1, 0, 4, 0, 0.5].entries()) near(results[i] as number, wanted, 0.01);
});

test('fft: amplitudes under a flat top are those of the tones', () => {
  const config = { ...WINDOW, channels: 2, rate: RATE };
  const results = chained(config, [['fft', { size: 1024, taper: 'flat-top', output: 'amplitude' }]], asBytes);
  near(results[2 * 40] as number, 1, 0.002);
  near(results[2 * 120 + 1] as number, 0.5, 0.001);
});

test('vibration is what the single plugins are, bit by bit: their kernels in one module', () => {
  const [reader, raw] = [{ input: 'f32', channels: 2, rate: RATE }, asBytes];
  const separate = {
    bands: chained(
      { ...WINDOW, ...reader },
      [
        ['fft', { size: 1024 }],
        ['band-power', { size: 1024, bands: BANDS, output: 'rms' }],
      ],
      raw,
    ),
    figures: run(
      'features',
      { window: 1024, hop: 512, features: ['rms', 'crest'], ...reader },
      raw,
    ).flat() as number[],
  };
  const all = run(
    'vibration',
    { ...WINDOW, ...reader, features: ['rms', 'crest'], bands: BANDS, output: 'rms' },
    raw,
  ).flat() as number[];
  const expected = Array.from({ length: 8 }, (_, i) => [
    ...separate.figures.slice(2 * i, 2 * i + 2),
    ...separate.bands.slice(2 * i, 2 * i + 2),
  ]);
  assert.deepEqual(all, expected.flat());
});

test('vibration: the score of a channel stands out when its vibration changes, and the other channel stays as it was', () => {
  const rate = 1000;
  const config = {
    size: 64,
    channels: 2,
    rate,
    features: ['rms'],
    bands: [[100, 400]],
    weight: 0.05,
    settle: 20,
    least: 1e-3,
  };
  const block = (seed: number, loud: number): LentBlock => {
    const samples = noise(128, seed);
    return { bytes: bytesOf(samples.map((x, i) => (i % 2 === 1 ? x * loud : x))) };
  };
  const blocks = Array.from({ length: 60 }, (_, i) => block(i + 1, i === 50 ? 8 : 1));
  const scores = run('vibration', config, blocks).map(row => [
    (row as number[])[2] as number,
    (row as number[])[5] as number,
  ]);
  assert.ok((scores[50]?.[1] as number) > 10 && (scores[50]?.[0] as number) < 5, `${scores[50]}`);
  assert.ok(scores.slice(0, 20).every(([x, y]) => x === 0 && y === 0));
});

test('anomaly: scores of both kinds; with a threshold only blocks in which something stands out are told', () => {
  const blocks = Array.from({ length: 200 }, (_, i) => ({
    samples: Float32Array.of(noise(200)[i] as number),
  }));
  blocks[150] = { samples: Float32Array.of(20) };
  for (const config of [{ weight: 0.02, settle: 50 }, { window: 40 }]) {
    const scores = run('anomaly', { ...config, least: 0.01 }, blocks) as number[][];
    assert.ok((scores[150]?.[0] as number) > 15 && scores.every(row => row.length === 1));
    const told = run('anomaly', { ...config, least: 0.01, threshold: 8 }, blocks);
    assert.deepEqual(
      told.map((row, i) => (row.length > 0 ? i : -1)).filter(i => i >= 0),
      [150],
    );
  }
});

test('checksum: a right CRC is taken off, a wrong one is EDOM, a frame without room for one EINVAL', () => {
  const payload = Uint8Array.from([1, 3, 0, 0, 0, 10]);
  const [modbus, castagnoli] = [crc16Modbus(payload), crc32c(payload)];
  const little = (crc: number, size: number): number[] =>
    Array.from({ length: size }, (_, i) => (crc >>> (8 * i)) & 0xff);
  for (const [config, sum] of [
    [{}, little(modbus, 2)],
    [{ order: 'be' }, little(modbus, 2).reverse()],
    [{ kind: 'crc32c' }, little(castagnoli, 4)],
    [{ kind: 'crc32c', order: 'be' }, little(castagnoli, 4).reverse()],
  ] as const) {
    const guest = new KernelGuest('checksum', config);
    const given = guest.process({ bytes: Uint8Array.from([...payload, ...sum]), off: 1 });
    assert.ok(typeof given !== 'string');
    assert.deepEqual([given.format, Buffer.from(given.bytes)], ['bytes', Buffer.from(payload)]);
    assert.equal(guest.process({ bytes: Uint8Array.from([...payload.map(x => x ^ 1), ...sum]) }), 'EDOM');
    assert.equal(guest.process({ bytes: Uint8Array.of(1) }), 'EINVAL');
  }
});

test('bytes where samples are expected are EINVAL, and the log says once what is missing in front', () => {
  for (const [name, config] of [
    ['fft', { size: 16 }],
    ['band-power', { size: 16, bands: [[1, 2]] }],
    ['tones', { size: 16, frequencies: 0.1 }],
  ] as const) {
    const guest = new KernelGuest(name, config);
    for (let i = 0; i < 3; i++) assert.equal(guest.process({ bytes: new Uint8Array(64) }), 'EINVAL');
    assert.deepEqual(guest.log.length, 1);
    assert.match(guest.log[0] ?? '', /put decode, or another kernel that reads bytes, in front/);
    assert.equal(guest.process({ samples: new Float32Array(15), rate: 1 }), 'EINVAL');
  }
});

const FIRST_CONFIGS: readonly (readonly [string, unknown])[] = [
  ['decode', { input: 'u32badc', skip: 3, channels: 2 }],
  ['scale', { gain: [1, 2], deadband: 1, channels: 2 }],
  ['filter', { sections: [[1, 0, 0, -0.5, 0]] }],
  ['filter', { average: 5, input: 'i16' }],
  ['resample', { up: 3, down: 2, zeros: 4 }],
  ['rms', { window: 7, hop: 3 }],
  ['features', { window: 9, features: ['kurtosis', 'least'], input: 'f64be' }],
  ['vibration-window', { size: 8, hop: 20 }],
  ['fft', { size: 16 }],
  ['band-power', { size: 16, bands: [[0, 5]] }],
  ['tones', { size: 16, frequencies: [0.1], rate: 1 }],
  ['anomaly', { window: 5 }],
  ['vibration', { size: 16, rate: 100, features: ['rms'], bands: [[1, 20]], weight: 0.1 }],
  ['checksum', {}],
];

test('any block of any shape is answered, with a block or an errno, and never a trap', () => {
  const anyBlock = fc.record({
    data: fc.uint8Array({ maxLength: 400, size: 'max' }),
    isBytes: fc.boolean(),
    channels: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(256, 257, 0xffffffff)),
    rate: fc.oneof(fc.constantFrom(0, 100, 25600), fc.double()),
    off: fc.nat({ max: 15 }),
    topic: fc.constantFrom('a', 'b', 'c'),
  });
  for (const [name, config] of FIRST_CONFIGS) {
    const guest = new KernelGuest(name, config);
    fc.assert(
      fc.property(anyBlock, ({ data, isBytes, channels, rate, off, topic }) => {
        const samples = new Float32Array(data.slice(0, data.length & ~3).buffer);
        const block = isBytes ? { bytes: data, off } : { samples };
        const given = guest.process({ ...block, channels: isBytes ? 1 : channels, rate, topic });
        assert.ok(
          typeof given === 'string'
            ? given.startsWith('E')
            : given.bytes.length % 4 === 0 || name === 'checksum',
        );
      }),
      { numRuns: 60, seed: 30 },
    );
    guest.flush();
  }
});
