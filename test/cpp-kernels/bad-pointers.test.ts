import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO, type Library, onBoth, type Piece } from './library.js';
import { noise } from './numbers.js';

/** A buffer of a call that works. */
interface Buffer {
  readonly piece: Piece;
  /** Bytes that its address has to be a multiple of. */
  readonly align: number;
  readonly kind: 'input' | 'output' | 'state';
  /** An output that may be this input. */
  readonly over?: Piece;
}

type Argument = number | Buffer;

/** For each kernel a call that works, with every buffer of the size that it needs. */
const CALLS: Readonly<Record<string, (l: Library) => Argument[]>> = {
  decode: l => [input(l, 64, 1), 16, 4, 2, 0, output(l, 64)],
  scale: l => {
    const from = input(l, 64);
    return [from, 8, 2, input(l, 8), input(l, 8), output(l, 64, from.piece)];
  },
  clamp: l => {
    const from = input(l, 64);
    const most = { ...input(l, 8), piece: l.put(Float32Array.of(5, 5)) };
    return [from, 8, 2, input(l, 8), most, output(l, 64, from.piece)];
  },
  deadband: l => {
    const from = input(l, 64);
    const band = l.put(Float32Array.of(1, 1));
    return [state(l.state('deadband', [2], [2, band])), from, 8, output(l, 64, from.piece), output(l, 4)];
  },
  fir: l => stream(l, l.state('fir', [3, 2], [l.put(noise(3)), 3, 2])),
  biquad: l => stream(l, l.state('biquad', [1, 2], [l.put(Float64Array.of(1, 0, 0, 0, 0)), 1, 2])),
  average: l => stream(l, l.state('average', [5, 2], [5, 2])),
  zscore: l => stream(l, l.state('zscore', [5, 2], [5, 2, 1])),
  ewma: l => stream(l, l.state('ewma', [2], [2, 0.1, 0, 1])),
  sliding: l => {
    const from = input(l, 64);
    // Outputs may be null there.
    return [state(l.state('sliding', [5, 2], [5, 2])), from, 8, output(l, 64, from.piece), 0, 0, 0];
  },
  resample: l => [
    state(l.state('resample', [1, 2, 4, 1], [1, 2, 4, 1])),
    input(l, 64),
    16,
    output(l, 32),
    8,
    output(l, 4),
  ],
  resample_room: l => [state(l.state('resample', [1, 2, 4, 1], [1, 2, 4, 1])), 16, output(l, 4)],
  window: l => [state(l.state('window', [4, 2], [4, 4, 2])), input(l, 64), 8, output(l, 4), output(l, 4)],
  window_rest: l => [state(l.state('window', [4, 2], [4, 4, 2])), output(l, 4), output(l, 4)],
  butterworth: l => [0, 4, 0.1, { ...output(l, 80), align: 8 }, 2, output(l, 4)],
  notch: l => [0.1, 0.01, { ...output(l, 40), align: 8 }, 1, output(l, 4)],
  columns: l => [input(l, 64), 8, 2, output(l, 64)],
  rows: l => [input(l, 64), 8, 2, output(l, 64)],
  rms: l => [input(l, 64, 1), 16, 4, 4, output(l, 16), 4, output(l, 4)],
  peak: l => [input(l, 64, 1), 16, 4, 4, output(l, 16), 4, output(l, 4)],
  crest: l => [input(l, 64, 1), 16, 4, 4, output(l, 16), 4, output(l, 4)],
  spread: l => [input(l, 64, 1), 16, 4, 4, output(l, 64), 16, output(l, 4)],
  kurtosis: l => [input(l, 64, 1), 16, 4, 4, output(l, 16), 4, output(l, 4)],
  goertzel: l => [input(l, 64, 1), 16, doubles(l, 0.1, 0.2), 2, output(l, 16)],
  fft: l => [state(l.state('fft', [32], [32])), input(l, 128), output(l, 136)],
  taper: l => [1, 16, output(l, 64), { ...output(l, 16), align: 8 }],
  multiply: l => {
    const from = input(l, 64);
    return [from, input(l, 64), 16, output(l, 64, from.piece)];
  },
  power: l => {
    const from = input(l, 64);
    return [from, 8, 1, output(l, 32, from.piece)];
  },
  magnitude: l => {
    const from = input(l, 64);
    return [from, 8, 1, output(l, 32, from.piece)];
  },
  band_power: l => [input(l, 64), 16, 1, doubles(l, 0, 4), 1, output(l, 4)],
  crc16_modbus: l => [input(l, 64, 1), 64, word(l, 0xffff)],
  crc32c: l => [input(l, 64, 1), 64, word(l, 0)],
  export: l => [
    state(l.state('average', [5, 2], [5, 2])),
    { ...output(l, 512), align: 1 },
    512,
    output(l, 4),
  ],
  fir_init: l => [
    { ...state(l.room(l.call('fir_bytes', 3, 2))), kind: 'output' },
    l.call('fir_bytes', 3, 2),
    input(l, 12),
    3,
    2,
  ],
  biquad_init: l => [
    { ...state(l.room(l.call('biquad_bytes', 1, 1))), kind: 'output' },
    l.call('biquad_bytes', 1, 1),
    doubles(l, 1, 0, 0, 0, 0),
    1,
    1,
  ],
  deadband_init: l => [
    { ...state(l.room(l.call('deadband_bytes', 2))), kind: 'output' },
    l.call('deadband_bytes', 2),
    2,
    { ...input(l, 8), piece: l.put(Float32Array.of(1, 1)) },
  ],
  average_init: l => fresh(l, 'average', [5, 2], [5, 2]),
  sliding_init: l => fresh(l, 'sliding', [5, 2], [5, 2]),
  zscore_init: l => fresh(l, 'zscore', [5, 2], [5, 2, 1]),
  ewma_init: l => fresh(l, 'ewma', [2], [2, 0.1, 0, 1]),
  resample_init: l => fresh(l, 'resample', [1, 2, 4, 1], [1, 2, 4, 1]),
  window_init: l => fresh(l, 'window', [4, 2], [4, 4, 2]),
  fft_init: l => fresh(l, 'fft', [64], [64]),
};

function input(library: Library, bytes: number, align = 4): Buffer {
  return { piece: library.put(noise(bytes / 4)), align, kind: 'input' };
}

function doubles(library: Library, ...values: number[]): Buffer {
  return { piece: library.put(Float64Array.from(values)), align: 8, kind: 'input' };
}

function word(library: Library, value: number): Buffer {
  return { piece: library.put(Uint32Array.of(value)), align: 4, kind: 'output' };
}

function output(library: Library, bytes: number, over?: Piece): Buffer {
  return { piece: library.room(bytes), align: 4, kind: 'output', ...(over === undefined ? {} : { over }) };
}

function state(piece: Piece): Buffer {
  return { piece, align: 16, kind: 'state' };
}

function stream(library: Library, block: Piece): Argument[] {
  const from = input(library, 64);
  return [state(block), from, 8, output(library, 64, from.piece)];
}

function fresh(library: Library, name: string, sizes: number[], settings: number[]): Argument[] {
  const bytes = library.call(`${name}_bytes`, ...sizes);
  return [{ ...state(library.room(bytes)), kind: 'output' }, bytes, ...settings];
}

const isBuffer = (argument: Argument): argument is Buffer => typeof argument !== 'number';

/** Calls with argument `index` at another address: refused, and no buffer is changed. */
function refused(
  library: Library,
  name: string,
  call: readonly Argument[],
  index: number,
  at: number,
  why: string,
): void {
  const buffers = call.filter(isBuffer);
  const before = buffers.map(({ piece }) => library.bytes(piece));
  const values = call.map((argument, i) =>
    i === index ? at : isBuffer(argument) ? argument.piece : argument,
  );
  const answer = library.call(name, ...values);
  const what = `${library.build}: ${name}, argument ${index} ${why}`;
  // A state block elsewhere is not only misplaced, but no state block as well.
  const isState = (call[index] as Buffer).kind === 'state';
  assert.ok(answer === ERRNO.EFAULT || (isState && answer === ERRNO.EINVAL), `${what}: ${answer}`);
  assert.deepEqual(
    buffers.map(({ piece }) => library.bytes(piece)),
    before,
    what,
  );
}

for (const [name, make] of Object.entries(CALLS)) {
  test(`${name}: buffers that are null, not aligned, beyond the memory or over others are EFAULT and change nothing`, () => {
    onBoth(library => {
      const call = make(library);
      const end = library.memory.byteLength;
      call.forEach((argument, index) => {
        if (!isBuffer(argument)) return;
        const { piece, align, kind, over } = argument;
        const mayBeNull = name === 'sliding' && kind === 'output';
        if (!mayBeNull) refused(library, name, call, index, 0, 'null');
        for (let off = 1; off < align; off *= 2)
          refused(library, name, call, index, piece.at + off, `${off} bytes off`);
        const beyond = Math.max(align, 4);
        if (piece.bytes > beyond) refused(library, name, call, index, end - beyond, 'half beyond the memory');
        for (const at of [end, 0xfffffff0])
          refused(library, name, call, index, at, `beyond the memory, at ${at}`);
        if (kind !== 'output') return;
        for (const other of call.filter(isBuffer)) {
          if (other === argument) continue;
          if (other.piece !== over)
            refused(library, name, call, index, aligned(other.piece.at, align), 'over another');
          if (other.piece.bytes > 16)
            refused(library, name, call, index, aligned(other.piece.at + 4, align), 'half over another');
        }
      });
      // The call itself works, so it was the address that was refused.
      library.run(name, ...call.map(each => (isBuffer(each) ? each.piece : each)));
    });
  });
}

test('a state block that is smaller than it has to be is ENOMEM, and nothing is written', () => {
  onBoth(library => {
    const inits = Object.entries(CALLS).filter(([name]) => name.endsWith('_init'));
    assert.ok(inits.length >= 10);
    for (const [name, make] of inits) {
      const [block, bytes, ...settings] = make(library);
      const { piece } = block as Buffer;
      const before = library.bytes(piece);
      for (const less of [0, 16, (bytes as number) - 1]) {
        const rest = settings.map(each => (isBuffer(each) ? each.piece : each));
        assert.equal(library.call(name, piece, less, ...rest), ERRNO.ENOMEM, `${name}, ${less} bytes`);
        assert.deepEqual(library.bytes(piece), before, name);
      }
    }
  });
});

const aligned = (at: number, align: number): number => Math.ceil(at / align) * align;

test('every kernel is in this list, or takes no buffers', () => {
  onBoth(library => {
    const sizes = library.names.map(name => name.replace('sluice_kernel_', ''));
    const missing = sizes.filter(name => CALLS[name] === undefined && !/_bytes$|_taps$/.test(name));
    assert.deepEqual(missing, ['import']);
  });
});

test('import: bytes beyond the memory and blocks over each other are EFAULT', () => {
  onBoth(library => {
    const block = library.state('average', [5, 2], [5, 2]);
    const before = library.bytes(block);
    for (const from of [0, library.memory.byteLength - 8, block.at, block.at + 100])
      assert.equal(library.call('import', block, from, 64), ERRNO.EFAULT);
    assert.equal(library.call('import', 0, block, 64), ERRNO.EFAULT);
    assert.equal(library.call('import', block.at + 4, library.room(64), 64), ERRNO.EFAULT);
    assert.deepEqual(library.bytes(block), before);
  });
});

test('sizes so large that their product does not fit are refused, not wrapped around', () => {
  onBoth(library => {
    const from = library.put(noise(4));
    const out = library.room(16);
    const most = 0xffffffff;
    const one = library.put(Float32Array.of(1));
    assert.equal(library.call('decode', from, most, most, 0, 0, out), ERRNO.EFAULT);
    assert.equal(library.call('scale', from, most, 1, one, one, out), ERRNO.EFAULT);
    assert.equal(library.call('columns', from, 0x80000000, 64, out), ERRNO.EFAULT);
    assert.equal(library.call('rms', from, most, 1, 1, out, most, out), ERRNO.EFAULT);
    assert.equal(library.call('power', from, most, 1, out), ERRNO.EFAULT);
    assert.equal(library.call('crc32c', from, most, out), ERRNO.EFAULT);
    const fir = library.state('fir', [1, 64], [one, 1, 64]);
    assert.equal(library.call('fir', fir, from, most, out), ERRNO.EFAULT);
  });
});
