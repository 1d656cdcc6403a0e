/** Fourier transforms in doubles: src/fft.h, src/goertzel.h, src/taper.h, src/spectrum.h, src/band-power.h. */
import { ExactSum, sum } from './exact-sum.js';

export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** Sum of x[n] * exp(-2 pi i f n), as it is written. */
export function tone(samples: ArrayLike<number>, frequency: number): Complex {
  const re = new ExactSum();
  const im = new ExactSum();
  for (let n = 0; n < samples.length; n++) {
    // The part of a turn that is left: Math.cos of large numbers is right, but 2 pi f n is not.
    const turns = frequency * n;
    const angle = 2 * Math.PI * (turns - Math.round(turns));
    re.add((samples[n] as number) * Math.cos(angle));
    im.add(-(samples[n] as number) * Math.sin(angle));
  }
  return { re: re.value, im: im.value };
}

/** Bins 0 to length / 2 of a power of two, by halves in doubles: good to 2^-50 of the whole. */
export function fft(samples: ArrayLike<number>): Complex[] {
  const { re, im } = transform(Float64Array.from(samples), new Float64Array(samples.length));
  return Array.from({ length: samples.length / 2 + 1 }, (_, k) => ({
    re: re[k] as number,
    im: im[k] as number,
  }));
}

interface Halves {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

function transform(re: Float64Array, im: Float64Array): Halves {
  const length = re.length;
  if (length === 1) return { re, im };
  const of = (list: Float64Array, odd: number): Float64Array => list.filter((_, i) => i % 2 === odd);
  const even = transform(of(re, 0), of(im, 0));
  const odd = transform(of(re, 1), of(im, 1));
  const out = { re: new Float64Array(length), im: new Float64Array(length) };
  for (let k = 0; k < length / 2; k++) {
    const angle = (-2 * Math.PI * k) / length;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [a, b] = [odd.re[k] as number, odd.im[k] as number];
    const turned = { re: a * c - b * s, im: a * s + b * c };
    out.re[k] = (even.re[k] as number) + turned.re;
    out.im[k] = (even.im[k] as number) + turned.im;
    out.re[k + length / 2] = (even.re[k] as number) - turned.re;
    out.im[k + length / 2] = (even.im[k] as number) - turned.im;
  }
  return out;
}

/** In the order of `sluice_taper`. */
const TAPERS: readonly (readonly number[])[] = [
  [1],
  [0.5, 0.5],
  [0.54, 0.46],
  [0.35875, 0.48829, 0.14128, 0.01168],
  [1, 1.933, 1.286, 0.388, 0.0322],
];

export function taper(kind: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) =>
    (TAPERS[kind] as readonly number[]).reduce(
      (value, term, k) => value + (-1) ** k * term * Math.cos((2 * Math.PI * k * n) / count),
      0,
    ),
  );
}

/** Of pairs, one-sided. */
export function power(bins: Float32Array, scale: number): number[] {
  return oneSided(bins, (re, im) => (re * re + im * im) * scale);
}

export function magnitude(bins: Float32Array, scale: number): number[] {
  return oneSided(bins, (re, im) => Math.hypot(re, im) * scale);
}

function oneSided(bins: Float32Array, what: (re: number, im: number) => number): number[] {
  const count = bins.length / 2;
  return Array.from({ length: count }, (_, k) => {
    const value = what(bins[2 * k] as number, bins[2 * k + 1] as number);
    return count > 2 && (k === 0 || k === count - 1) ? value / 2 : value;
  });
}

export function bandPower(density: Float32Array, spacing: number, from: number, to: number): number {
  return sum(density.filter((_, k) => k * spacing >= from && k * spacing < to)) * spacing;
}
