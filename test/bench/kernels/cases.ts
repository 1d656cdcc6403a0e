import { noise } from '../../cpp-kernels/numbers.js';
import { Arena, type Call, type Place } from './arena.js';

export interface Case {
  readonly name: string;
  /** Is the distance to native code a target? */
  readonly judged: boolean;
  readonly arena: Arena;
  /** Samples, or bytes of a checksum, of one call. */
  readonly elements: number;
  readonly prepare: readonly Call[];
  readonly call: Call;
  /** Compared bit by bit between all sides. */
  readonly out: Place;
  /** The same work by eight lanes. */
  readonly limit?: Call;
  /** Of an FFT: what it transforms. */
  readonly samples?: Place;
}

const COUNT = 8192;
/** Bytes of a state; the library tells. */
export type StateBytes = (kernel: string, ...sizes: number[]) => number;

type Given = Omit<Case, 'name' | 'judged' | 'arena'>;

/** Everything that is measured, with its buffers. */
export function cases(bytes: StateBytes): Case[] {
  const list: Case[] = [];
  const add = (name: string, judged: boolean, make: (arena: Arena) => Given): void => {
    const arena = new Arena();
    list.push({ name, judged, arena, ...make(arena) });
  };
  add('decode i16', true, arena => decode(arena, 1, 2, 0, true));
  add('decode u32', true, arena => decode(arena, 2, 4, 1));
  add('decode f32', true, arena => decode(arena, 4, 4, 1));
  add('fir 64 taps', true, arena => fir(arena, bytes, 1));
  add('fir 64 taps, 3 channels', true, arena => fir(arena, bytes, 3));
  add('rms', true, arena => windowed(arena, 'rms', 1));
  add('biquad 4 sections', true, arena => biquad(arena, bytes, 1));
  add('biquad 4 sections, 3 channels', true, arena => biquad(arena, bytes, 3));
  add('goertzel 8 tones', true, goertzel);
  add('crc32c', true, arena => checksum(arena, 'crc32c', 0));
  add('fft 1024', true, arena => fft(arena, bytes, 1024));
  add('fft 4096', true, arena => fft(arena, bytes, 4096));
  add('fft 16384', true, arena => fft(arena, bytes, 16384));
  add('crc16-modbus', false, arena => checksum(arena, 'crc16_modbus', 0xffff));
  add('kurtosis', false, arena => windowed(arena, 'kurtosis', 1));
  add('spread', false, arena => windowed(arena, 'spread', 4));
  add('power', false, power);
  add('scale', false, scale);
  return list;
}

function samples(arena: Arena, count = COUNT): Place {
  return arena.put(noise(count, 7).map(x => x * 1000));
}

/** Numbers of `size` bytes in big-endian order, or with swapped words. */
function decode(arena: Arena, type: number, size: number, order: number, limited = false): Given {
  // As floats they are neither NaN nor subnormal.
  const from = arena.put(noise((COUNT * size) / 4, 3));
  const out = arena.room(COUNT * 4);
  return {
    elements: COUNT,
    prepare: [],
    call: { kernel: 'decode', args: [from, COUNT, size, type, order, out] },
    out,
    ...(limited ? { limit: { kernel: 'limit_decode', args: [from, COUNT, out] } } : {}),
  };
}

const TAPS = 64;

function fir(arena: Arena, bytes: StateBytes, channels: number): Given {
  const taps = arena.put(noise(TAPS, 5).map(x => x / TAPS));
  const count = COUNT - (COUNT % (4 * channels));
  const line = arena.put(noise(count + TAPS - 1, 7));
  const size = bytes('fir_bytes', TAPS, channels);
  const state = arena.room(size);
  const from = arena.put(noise(count, 7));
  const out = arena.room(count * 4);
  return {
    elements: count,
    prepare: [{ kernel: 'fir_init', args: [state, size, taps, TAPS, channels] }],
    call: { kernel: 'fir', args: [state, from, count / channels, out] },
    out,
    ...(channels === 1 ? { limit: { kernel: 'limit_fir', args: [taps, TAPS, line, count, out] } } : {}),
  };
}

function windowed(arena: Arena, kernel: string, each: number): Given {
  const from = samples(arena);
  const out = arena.room(4 * each);
  const written = arena.room(4);
  return {
    elements: COUNT,
    prepare: [],
    call: { kernel, args: [from, COUNT, COUNT, COUNT, out, each, written] },
    out,
    ...(kernel === 'rms' ? { limit: { kernel: 'limit_rms', args: [from, COUNT, out] } } : {}),
  };
}

/** b0, b1, b2, a1, a2 of low passes that ring a while. */
const SECTIONS = [0.9, 0.93, 0.95, 0.97].flatMap((radius, i) => {
  const a1 = -2 * radius * Math.cos(0.2 + 0.1 * i);
  const gain = (1 + a1 + radius * radius) / 4;
  return [gain, 2 * gain, gain, a1, radius * radius];
});

function biquad(arena: Arena, bytes: StateBytes, channels: number): Given {
  const sections = arena.put(Float64Array.from(SECTIONS));
  const byCoefficient = Float64Array.from({ length: 20 }, (_, i) => SECTIONS[(i % 4) * 5 + (i >> 2)] ?? 0);
  const turned = arena.put(byCoefficient);
  const count = COUNT - (COUNT % channels);
  const size = bytes('biquad_bytes', 4, channels);
  const state = arena.room(size);
  const from = samples(arena, count);
  const out = arena.room(count * 4);
  return {
    elements: count,
    prepare: [{ kernel: 'biquad_init', args: [state, size, sections, 4, channels] }],
    call: { kernel: 'biquad', args: [state, from, count / channels, out] },
    out,
    ...(channels === 1 ? { limit: { kernel: 'limit_biquad', args: [turned, from, count, out] } } : {}),
  };
}

function goertzel(arena: Arena): Given {
  const tones = Float64Array.from({ length: 8 }, (_, i) => 0.01 + 0.05 * i);
  const frequencies = arena.put(tones);
  const turns = arena.put(tones.map(f => 2 * Math.cos(2 * Math.PI * 16 * f)));
  const from = samples(arena);
  const out = arena.room(64);
  return {
    elements: COUNT * 8,
    prepare: [],
    call: { kernel: 'goertzel', args: [from, COUNT, frequencies, 8, out] },
    out,
    limit: { kernel: 'limit_goertzel', args: [from, COUNT, turns, 8, out] },
  };
}

function checksum(arena: Arena, kernel: string, start: number): Given {
  const from = arena.put(noise(COUNT, 9));
  const out = arena.put(Uint32Array.of(start));
  return {
    elements: COUNT * 4,
    prepare: [],
    call: { kernel, args: [from, COUNT * 4, out] },
    out,
    ...(kernel === 'crc32c' ? { limit: { kernel: 'limit_crc32c', args: [from, COUNT * 4, out] } } : {}),
  };
}

function fft(arena: Arena, bytes: StateBytes, count: number): Given {
  const size = bytes('fft_bytes', count);
  const state = arena.room(size);
  const from = samples(arena, count);
  const out = arena.room(count * 4 + 8);
  return {
    elements: count,
    prepare: [{ kernel: 'fft_init', args: [state, size, count] }],
    call: { kernel: 'fft', args: [state, from, out] },
    out,
    samples: from,
    limit: { kernel: 'fftw', args: [count, from, out] },
  };
}

function power(arena: Arena): Given {
  const from = samples(arena, 2 * 4097);
  const out = arena.room(4097 * 4);
  return {
    elements: 4097,
    prepare: [],
    call: { kernel: 'power', args: [from, 4097, { double: 0.001 }, out] },
    out,
  };
}

function scale(arena: Arena): Given {
  const from = samples(arena, COUNT);
  const [gains, offsets] = [arena.put(Float32Array.of(0.5)), arena.put(Float32Array.of(3))];
  const out = arena.room(COUNT * 4);
  return {
    elements: COUNT,
    prepare: [],
    call: { kernel: 'scale', args: [from, COUNT, 1, gains, offsets, out] },
    out,
  };
}
