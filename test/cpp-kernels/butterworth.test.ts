import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO, onBoth } from './library.js';

type Section = readonly [number, number, number, number, number];

function designed(name: string, ...settings: number[]): Section[] {
  const list = onBoth(library => {
    const room = library.room(8 * 40, 0);
    const count = library.room(4);
    library.run(name, ...settings, room, 8, count);
    return [...library.doubles({ at: room.at, bytes: library.word(count) * 40 })];
  });
  return Array.from({ length: list.length / 5 }, (_, i) => list.slice(5 * i, 5 * i + 5) as never);
}

/** |H(exp(2 pi i f))| of a cascade, in dB. */
function gain(sections: readonly Section[], frequency: number): number {
  const at = (c0: number, c1: number, c2: number): number => {
    const [w, v] = [2 * Math.PI * frequency, 4 * Math.PI * frequency];
    return Math.hypot(c0 + c1 * Math.cos(w) + c2 * Math.cos(v), c1 * Math.sin(w) + c2 * Math.sin(v));
  };
  return (
    20 * Math.log10(sections.reduce((all, [b0, b1, b2, a1, a2]) => (all * at(b0, b1, b2)) / at(1, a1, a2), 1))
  );
}

const near = (is: number, wanted: number, within: number, what: string): void =>
  assert.ok(Math.abs(is - wanted) <= within, `${what}: ${is}, not ${wanted}`);

test('every order is what Butterworth says, at any frequency: 1 / sqrt(1 + (tan / tan)^2n)', () => {
  for (let order = 1; order <= 16; order++) {
    for (const [isHigh, edge] of [
      [0, 0.1],
      [1, 0.1],
      [0, 0.4],
      [1, 0.002],
    ] as const) {
      const sections = designed('butterworth', isHigh, order, edge);
      assert.equal(sections.length, Math.ceil(order / 2));
      for (const frequency of [0.0007, edge / 2, edge, 0.09, 0.2, 0.45]) {
        const ratio = Math.tan(Math.PI * frequency) / Math.tan(Math.PI * edge);
        const exact = -10 * Math.log10(1 + (isHigh ? 1 / ratio : ratio) ** (2 * order));
        // Where hardly anything comes through, the sum of the coefficients is what is left of 1 - 1.
        if (exact > -120) near(gain(sections, frequency), exact, 1e-6, `order ${order} at ${frequency}`);
      }
    }
  }
});

test('a notch lets nothing through at its frequency, half of the power at the ends of its width, all far from it', () => {
  const sections = designed('notch', 0.1, 0.02);
  assert.ok(gain(sections, 0.1) < -200);
  near(gain(sections, 0.0001), 0, 1e-3, 'low');
  near(gain(sections, 0.4999), 0, 1e-3, 'high');
  // The two frequencies of half power lie `width` apart, a little unlike around the middle.
  const half = (from: number, to: number): number => {
    let [low, high] = [from, to];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (gain(sections, middle) > -10 * Math.log10(2)) low = middle;
      else high = middle;
    }
    return low;
  };
  near(half(0.2, 0.1) - half(0.01, 0.1), 0.02, 1e-9, 'width');
});

test('orders and frequencies that there cannot be are refused', () => {
  onBoth(library => {
    const room = library.room(320);
    const count = library.room(4);
    for (const frequency of [0, -0.1, 0.5, NaN, Infinity]) {
      assert.equal(library.call('butterworth', 0, 4, frequency, room, 8, count), ERRNO.EDOM);
      assert.equal(library.call('notch', frequency, 0.1, room, 8, count), ERRNO.EDOM);
      assert.equal(library.call('notch', 0.1, frequency, room, 8, count), ERRNO.EDOM);
    }
    assert.equal(library.call('butterworth', 0, 0, 0.1, room, 8, count), ERRNO.EINVAL);
    assert.equal(library.call('butterworth', 0, 17, 0.1, room, 9, count), ERRNO.EINVAL);
    assert.equal(library.call('butterworth', 0, 5, 0.1, room, 2, count), ERRNO.ENOSPC);
    assert.equal(library.call('notch', 0.1, 0.1, room, 0, count), ERRNO.ENOSPC);
    assert.ok([...library.bytes(room), ...library.bytes(count)].every(byte => byte === 0xee));
  });
});
