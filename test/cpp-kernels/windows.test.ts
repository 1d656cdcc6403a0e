import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  crest,
  kurtosis,
  meanMagnitude,
  peak,
  rms,
  spread,
  windowsOf,
} from '../../cpp-kernels/reference/windows.js';
import { ERRNO, onBoth } from './library.js';
import { assertClose, floats, noise, seldomOddFloat, U } from './numbers.js';

interface Run {
  readonly samples: Float32Array;
  readonly window: number;
  readonly hop: number;
  readonly off: number;
}

const anyRun: fc.Arbitrary<Run> = fc.record({
  samples: floats(seldomOddFloat, 300),
  window: fc.integer({ min: 1, max: 100 }),
  hop: fc.integer({ min: 1, max: 120 }),
  off: fc.nat({ max: 15 }),
});

/** `each` results for each whole window. */
function results(name: string, { samples, window, hop, off }: Run, each = 1): Float32Array[] {
  const windows = windowsOf(samples, window, hop).length;
  const list = onBoth(library => {
    const out = library.room(windows * each * 4);
    const written = library.room(4);
    library.run(name, library.put(samples, off), samples.length, window, hop, out, windows * each, written);
    assert.equal(library.word(written), windows * each);
    return library.floats(out);
  });
  return Array.from({ length: windows }, (_, i) => list.subarray(i * each, (i + 1) * each));
}

function forEachWindow(
  name: string,
  each: number,
  check: (result: Float32Array, window: Float32Array) => void,
): void {
  fc.assert(
    fc.property(anyRun, run => {
      const all = results(name, run, each);
      windowsOf(run.samples, run.window, run.hop).forEach((window, i) => {
        check(all[i] as Float32Array, window);
      });
    }),
    { numRuns: 150, seed: 14 },
  );
}

const hasNaN = (window: Float32Array): boolean => window.some(Number.isNaN);
const areFinite = (window: Float32Array): boolean => window.every(Number.isFinite);
/** Largest |x| over the deviation: how badly the mean hides what moves. */
const hidden = (window: Float32Array): number => peak(window) / spread(window).deviation;

test('rms of any samples, anywhere in memory, is within its bound', () => {
  forEachWindow('rms', 1, ([result = 0], window) => {
    const exact = hasNaN(window) ? NaN : rms(window);
    assertClose(result, exact, exact >= 2 ** -126 ? exact * 2 ** -23.99 : 2 ** -150 * 1.01, 'rms');
  });
});

test('peak is exact, and NaN where there is one', () => {
  forEachWindow('peak', 1, ([result = 0], window) => {
    assert.deepEqual(result, peak(window));
  });
});

test('crest is within its bound', () => {
  forEachWindow('crest', 1, ([result = 0], window) => {
    const exact = areFinite(window) ? crest(window) : NaN;
    assertClose(result, exact, exact * 2 ** -23.98, 'crest');
  });
});

test('spread: least and most are exact, mean and deviation within their bounds', () => {
  forEachWindow('spread', 4, ([least, most, mean, deviation], window) => {
    if (hasNaN(window)) {
      assert.ok([least, most, mean, deviation].every(Number.isNaN));
      return;
    }
    const exact = spread(window);
    assert.equal((least as number) + 0, exact.least + 0);
    assert.equal((most as number) + 0, exact.most + 0);
    const slack = 2 ** -49 * meanMagnitude(window) + 2 ** -150;
    assertClose(mean as number, exact.mean, Math.abs(exact.mean) * U + slack, 'mean');
    assertClose(
      deviation as number,
      areFinite(window) ? exact.deviation : NaN,
      exact.deviation * 2 ** -23.9 + slack,
      'deviation',
    );
  });
});

test('kurtosis is within its bound, 0 where nothing moves', () => {
  forEachWindow('kurtosis', 1, ([result = 0], window) => {
    if (!areFinite(window)) {
      assert.ok(Number.isNaN(result));
      return;
    }
    const exact = kurtosis(window);
    if (exact === 0) assert.equal(result, 0);
    else assertClose(result, exact, exact * U + 2 ** -40 * hidden(window) ** 2, 'kurtosis');
  });
});

test('a sine has the crest 1.414 and the kurtosis 1.5, noise of equal chances 1.8, a square wave 1 and 1', () => {
  const count = 4096;
  const sine = Float32Array.from(
    { length: count },
    (_, i) => 5 + 3 * Math.sin((2 * Math.PI * 7 * i) / count),
  );
  const whole = (samples: Float32Array) => ({ samples, window: count, hop: count, off: 0 });
  const only = (name: string, samples: Float32Array): number =>
    results(name, whole(samples))[0]?.[0] as number;
  assert.ok(Math.abs(only('kurtosis', sine) - 1.5) < 1e-6);
  assert.ok(
    Math.abs(
      only(
        'crest',
        sine.map(x => x - 5),
      ) - Math.SQRT2,
    ) < 1e-6,
  );
  assert.ok(Math.abs(only('kurtosis', noise(count)) - 1.8) < 0.05);
  const square = sine.map((_, i) => (i % 2) * 2 - 1);
  assert.deepEqual([only('kurtosis', square), only('crest', square)], [1, 1]);
});

test('the longest window is within the bounds', () => {
  const count = 1 << 20;
  const samples = noise(count, 3).map(x => 1000 + x);
  const run = { samples, window: count, hop: count, off: 0 };
  const exact = spread1M(samples);
  const [least, most, mean, deviation] = results('spread', run, 4)[0] as Float32Array;
  assert.deepEqual([least, most], [exact.least, exact.most]);
  assertClose(mean as number, exact.mean, exact.mean * U + 2 ** -49 * 1001, 'mean');
  assertClose(
    deviation as number,
    exact.deviation,
    exact.deviation * 2 ** -23.9 + 2 ** -49 * 1001,
    'deviation',
  );
});

/** Math.min(...list) does not take a million. */
function spread1M(samples: Float32Array): ReturnType<typeof spread> {
  const parts = windowsOf(samples, 1024, 1024).map(spread);
  const mean = parts.reduce((total, part) => total + part.mean, 0) / parts.length;
  const squares = parts.reduce((total, part) => total + part.deviation ** 2 + (part.mean - mean) ** 2, 0);
  return {
    least: Math.min(...parts.map(part => part.least)),
    most: Math.max(...parts.map(part => part.most)),
    mean,
    deviation: Math.sqrt(squares / parts.length),
  };
}

test('windows that there cannot be are EINVAL, too little room is ENOSPC', () => {
  onBoth(library => {
    const samples = library.put(new Float32Array(100));
    const out = library.room(400);
    const written = library.room(4);
    for (const [name, each] of [
      ['rms', 1],
      ['peak', 1],
      ['crest', 1],
      ['kurtosis', 1],
      ['spread', 4],
    ] as const) {
      const call = (window: number, hop: number, room: number): number =>
        library.call(name, samples, 100, window, hop, out, room, written);
      assert.deepEqual(
        [call(0, 1, 100), call((1 << 20) + 1, 1, 100), call(10, 0, 100), call(10, 10, 10 * each - 1)],
        [ERRNO.EINVAL, ERRNO.EINVAL, ERRNO.EINVAL, ERRNO.ENOSPC],
      );
      assert.equal(call(101, 1, 0), ERRNO.OK);
      assert.equal(library.word(written), 0);
    }
  });
});
