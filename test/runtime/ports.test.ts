import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkPorts, SluiceError } from '../../runtime/index.js';
import { checkFields } from '../../runtime/manifest-fields.js';

type Stage = Parameters<typeof checkPorts>[0][number];
type Described = Pick<Stage, 'kind' | 'accepts'> & { readonly name: string; readonly ports?: Stage['ports'] };

// This file is dist/test/runtime/ports.test.js.
const described = JSON.parse(
  readFileSync(new URL('../../../cpp-kernels/plugins/plugins.json', import.meta.url), 'utf8'),
) as Described[];
const CONVERTERS: Described[] = [
  { name: 'modbus-json', kind: 'converter', accepts: ['modbus'] },
  { name: 'block-json', kind: 'converter', accepts: [] },
];

function chain(...steps: (string | readonly [string, object])[]): Stage[] {
  return steps.map(step => {
    const [plugin, config] = typeof step === 'string' ? [step, {}] : step;
    const { kind, accepts, ports } = [...described, ...CONVERTERS].find(({ name }) => name === plugin) ?? {
      kind: 'kernel' as const,
      accepts: [],
    };
    return {
      plugin,
      kind,
      accepts,
      config: JSON.stringify(config),
      ...(ports === undefined ? {} : { ports }),
    };
  });
}

function refusalOf(...steps: Parameters<typeof chain>): string {
  try {
    checkPorts(chain(...steps));
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    assert.equal(thrown.code, 'SLUICE_CHAIN_PORTS');
    return thrown.message;
  }
  return assert.fail('the chain was not refused');
}

const WINDOW = ['vibration-window', { size: 4096, input: 'i16', channels: 3, rate: 25600 }] as const;
const FFT = ['fft', { size: 4096 }] as const;
const BANDS = ['band-power', { size: 4096, bands: [[10, 1000]] }] as const;

test('chains that fit are let through', () => {
  checkPorts(chain(WINDOW, FFT, BANDS, 'block-json'));
  checkPorts(chain(WINDOW, FFT, BANDS, ['anomaly', { weight: 0.1 }], 'block-json'));
  checkPorts(chain(WINDOW, ['scale', { gain: 2 }], ['fft', { size: 4096, rate: 25600 }], BANDS));
  checkPorts(
    chain(
      ['decode', { input: 'i16', rate: 100 }],
      ['resample', { to: 50 }],
      ['rms', { window: 50, rate: 50 }],
    ),
  );
  checkPorts(chain('checksum', 'modbus-json'));
  checkPorts(
    chain(['vibration-window', { size: 64 }], ['fft', { size: 64, rate: 10 }], ['band-power', { size: 64 }]),
  );
  checkPorts(chain());
});

test('bytes where samples are taken: the refusal names both, and what to put in between', () => {
  assert.equal(
    refusalOf(['fft', { size: 64 }]),
    'the source → fft: the source gives bytes, and fft takes windows: put vibration-window in between',
  );
  assert.match(refusalOf(BANDS), /takes spectra: put vibration-window and fft in between$/);
  assert.match(refusalOf('block-json', FFT), /^block-json → fft: block-json gives bytes/);
});

test('samples, windows and spectra are told apart', () => {
  assert.match(
    refusalOf('decode', FFT),
    /^decode → fft: decode gives samples, .* put vibration-window in between$/,
  );
  assert.match(refusalOf(WINDOW, BANDS), /vibration-window gives windows, .* put fft in between$/);
  assert.match(refusalOf(WINDOW, FFT, FFT), /spectra, and fft takes windows: windows cannot be made of them/);
});

test('floats where bytes are read are refused, for kernels and for converters of devices', () => {
  assert.match(refusalOf('decode', 'checksum'), /decode gives floats, and checksum reads bytes/);
  assert.match(
    refusalOf('rms', 'modbus-json'),
    /rms gives values, .* of modbus send: put block-json in its place/,
  );
});

test('another size, other channels, another rate, and no rate where it is in Hz', () => {
  assert.match(
    refusalOf(WINDOW, ['fft', { size: 1024 }]),
    /windows of size 4096, and fft takes size 1024: give both/,
  );
  assert.match(refusalOf(WINDOW, FFT, ['band-power', { size: 512 }]), /fft gives spectra of size 4096/);
  assert.match(
    refusalOf(['decode', { channels: 3 }], ['rms', { window: 4, channels: 2 }]),
    /decode gives 3 channels, and rms is set to 2: leave out channels/,
  );
  assert.match(
    refusalOf(WINDOW, ['fft', { size: 4096, rate: 1000 }]),
    /put \{ plugin: resample, config: \{ to: 1000 \} \}/,
  );
  assert.match(
    refusalOf(['vibration-window', { size: 64 }], ['fft', { size: 64 }], ['band-power', { size: 64 }]),
    /fft does not know the rate, .* give the plugin that reads the samples its rate$/,
  );
});

test('behind a kernel that says nothing about itself nothing is refused', () => {
  checkPorts(chain('of-its-author', FFT, BANDS));
  checkPorts(chain(WINDOW, 'of-its-author', 'modbus-json'));
});

test('a manifest whose ports are wrong is refused with the place', () => {
  const fields = { name: 'a', version: '1.0.0', abi: '1.0.0', kind: 'kernel', accepts: [] };
  const refused = (ports: unknown): string => {
    try {
      checkFields({ ...fields, ports });
    } catch (thrown) {
      return (thrown as Error).message;
    }
    return 'taken';
  };
  assert.equal(refused({ takes: { format: 'f32', of: 'windows', size: 'size', needsRate: true } }), 'taken');
  assert.equal(refused({ gives: { channels: null, rate: '!to' } }), 'taken');
  assert.match(refused([]), /ports: is not an object/);
  assert.match(refused({ into: {} }), /ports\.into: is not known; known are takes, gives/);
  assert.match(refused({ takes: { channels: 'x' } }), /ports\.takes\.channels: is not known/);
  assert.match(
    refused({ gives: { format: 'f64' } }),
    /ports\.gives\.format: has a value that it cannot have/,
  );
});
