import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KernelGuest } from './kernel-guest.js';

const REFUSED: Readonly<Record<string, readonly [unknown, RegExp][]>> = {
  decode: [
    [{ input: 'i24' }, /^input is not u16, i16, u32, i32, f32 or f64, with be, le, cdab or badc behind it$/],
    [{ channels: 257 }, /^channels is not a whole number from 1 to 256$/],
    [{ rate: -1 }, /^rate is not a number from 0 to 1000000000$/],
    [{ window: 1 }, /^"window" is not known; known are input, skip, channels, rate$/],
    [7, /^the configuration is not a JSON object$/],
  ],
  scale: [
    [{ gain: 'x' }, /^gain is not a number or a list of 1 to 256 numbers$/],
    [{ gain: [] }, /^gain is not a number or a list/],
    [{ gain: [1, '2'] }, /^gain is not a number or a list/],
    [{ deadband: [1, -1] }, /^deadband is below 0$/],
    [{ least: 2, most: [3, 1] }, /^least is above most$/],
  ],
  filter: [
    [{}, /^one of taps, sections, average, or of lowpass, highpass and notch, has to be there/],
    [{ taps: [1], average: 2 }, /^one of taps/],
    [{ taps: [1e39] }, /^a tap is too large for a float$/],
    [{ sections: [[1, 2, 3, 4]] }, /^sections is not a list of 1 to 16 lists of 5 numbers$/],
    [{ sections: [[1, 0, 0, -2, 1]] }, /^sections are five numbers each.*poles inside of the unit circle$/],
    [{ lowpass: 0 }, /^lowpass is not a number from 0.000001 to 1000000000$/],
    [{ lowpass: 1, order: 9 }, /^order is not a whole number from 1 to 8$/],
  ],
  resample: [
    [{}, /^either to \(the rate that comes out\), or up and down have to be there$/],
    [{ to: 8000, up: 2 }, /^either to/],
    [{ up: 1, down: 1025 }, /^down is not a whole number from 1 to 1024$/],
    [{ up: 1, zeros: 65 }, /^zeros is not a whole number from 4 to 64$/],
  ],
  features: [
    [{ features: ['rms'] }, /^window is missing/],
    [{ window: 5 }, /^features is missing: a list of rms, peak/],
    [{ window: 5, features: ['rsm'] }, /^features is none of "rms", "peak", .*"deviation"$/],
    [{ window: 5, features: 'rms' }, /^features is not a list of words, each once$/],
    [{ window: 5, features: [] }, /^features is not a list of words/],
    [{ window: 1 << 20, features: ['rms'], streams: 1025 }, /^streams is not a whole number from 1 to 1024$/],
  ],
  'vibration-window': [
    [{}, /^size is missing/],
    [{ size: 65537 }, /^size is not a whole number from 4 to 65536$/],
  ],
  fft: [
    [{}, /^size is missing: the number of samples of a window, a power of two$/],
    [{ size: 1000 }, /^size is not a power of two from 4 to 65536$/],
    [
      { size: 1024, taper: 'hanning' },
      /^taper is none of "rectangle", "hann", "hamming", "blackman-harris", "flat-top"$/,
    ],
    [{ size: 1024, output: 'db' }, /^output is none of "density", "amplitude"$/],
  ],
  'band-power': [
    [{ bands: [[1, 2]] }, /^size is missing/],
    [{ size: 64 }, /^bands is missing/],
    [{ size: 64, bands: [[2, 1]] }, /^bands are pairs of from and to in Hz, from below to$/],
    [{ size: 64, bands: [[1, 2, 3]] }, /^bands is not a list of 1 to 32 lists of 2 numbers$/],
    [{ size: 64, bands: [] }, /^bands is not a list/],
  ],
  tones: [
    [{ size: 64 }, /^frequencies is missing/],
    [{ size: 64, frequencies: [-1] }, /^a frequency is below 0$/],
  ],
  anomaly: [
    [{}, /^either weight or window has to be there/],
    [{ weight: 0.1, window: 10 }, /^either weight or window/],
    [{ weight: 2 }, /^weight is not a number from 1e-9 to 1$/],
    [{ window: 10, least: 0 }, /^least is not a number from 1e-30 to 1e\+30$/],
  ],
  vibration: [
    [{ size: 64 }, /^features or bands have to be there$/],
    [{ features: ['rms'] }, /^size is missing/],
    [{ size: 64, features: ['rms'], flush: 1 }, /^flush is not true or false$/],
  ],
  checksum: [[{ kind: 'crc32' }, /^kind is none of "crc16-modbus", "crc32c"$/]],
};

for (const [name, cases] of Object.entries(REFUSED)) {
  test(`${name}: a configuration that cannot be meant is refused by name, with what would be right`, () => {
    for (const [config, why] of cases) {
      assert.throws(
        () => new KernelGuest(name, config),
        (error: Error) =>
          why.test(error.message) || assert.fail(`${JSON.stringify(config)}: ${error.message}`),
      );
    }
  });
}

test('the first mistake is the one that is told', () => {
  assert.throws(
    () => new KernelGuest('fft', { size: 3, taper: 'x', other: 1 }),
    /^Error: size is not a whole number/,
  );
});

test('any JSON as configuration is taken or refused with words, and never a trap', () => {
  const key = fc.constantFrom(
    'size',
    'features',
    'bands',
    'taps',
    'sections',
    'weight',
    'gain',
    'input',
    'taper',
    'lowpass',
    'x',
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      4,
      64,
      0.5,
      -1,
      1e300,
      'i16be',
      'hann',
      'rms',
      true,
      null,
      ['rms'],
      [[1, 2]],
      [[1, 0, 0, 0, 0]],
      [1, 2],
      {},
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  for (const name of ['vibration', 'filter', 'scale', 'fft']) {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 5, size: 'max' }), config => {
        try {
          new KernelGuest(name, config);
        } catch (error) {
          assert.ok(!(error instanceof WebAssembly.RuntimeError), String(error));
          assert.ok((error as Error).message.length > 10);
        }
      }),
      { numRuns: 60, seed: 31 },
    );
  }
});
