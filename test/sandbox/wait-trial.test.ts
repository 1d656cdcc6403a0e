import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitTrial } from '../../sandbox/slot/wait-trial.js';

/** A stream for a trial, with a clock of its own in milliseconds. */
class Stream {
  readonly trial = new WaitTrial();
  now = 1000;
  #frames = 0;

  /** Goes on for so long, with so many frames a millisecond where they wait and where they do not. Milliseconds without waits. */
  go(ms: number, withWaits: number, without: number): number {
    const end = this.now + ms;
    let free = 0;
    for (; this.now < end; this.now++) {
      if (this.trial.holdsUp) free++;
      this.#frames += this.trial.holdsUp ? without : withWaits;
      this.trial.publishing(this.#frames, this.now);
    }
    return free;
  }
}

test('a stream that brings as much without waits is made to wait, but for short trials', t => {
  const stream = new Stream();
  stream.go(10_000, 16, 16);
  const free = stream.go(10_000, 16, 16);
  t.diagnostic(`${free} ms of 10,000 without waits`);
  assert.ok(free > 0 && free <= 300, `${free} ms of 10,000 without waits`);
});

test('a stream that brings more without waits is not made to wait, but for short trials', t => {
  const stream = new Stream();
  stream.go(10_000, 16, 22);
  const free = stream.go(10_000, 16, 22);
  t.diagnostic(`${free} ms of 10,000 without waits`);
  assert.ok(free < 10_000 && free >= 9700, `${free} ms of 10,000 without waits`);
});

test('a tenth more is taken for chance', () => {
  const stream = new Stream();
  stream.go(10_000, 20, 22);
  assert.ok(stream.go(10_000, 20, 22) <= 300);
});

test('a tenth more is enough where it was more before', () => {
  const stream = new Stream();
  stream.go(10_000, 16, 22);
  assert.ok(stream.go(10_000, 20, 22) >= 9700);
});

test('what was found is tried again after 200 ms, and later and later while it is found again', () => {
  const stream = new Stream();
  const trials: number[] = [];
  let wasTrial = false;
  for (let ms = 0; ms < 15_000; ms++) {
    const free = stream.go(1, 16, 22) === 1;
    if (!free && !wasTrial) trials.push(stream.now);
    wasTrial = !free;
  }
  const gaps = trials.slice(1).map((at, i) => at - trials[i]!);
  // The two trials of 50 ms are in them.
  for (const [i, wanted] of [300, 500, 900, 1700, 3300, 3300].entries())
    assert.ok(Math.abs(gaps[i]! - wanted) < 10, `gap ${i}: ${gaps[i]} of ${wanted}`);
});

test('a stream that becomes another one is found out', () => {
  const stream = new Stream();
  stream.go(10_000, 16, 22);
  stream.go(4000, 16, 16);
  assert.ok(stream.go(1000, 16, 16) <= 100, 'it waits again');
});

test('frames from before a pause are in no trial', () => {
  const stream = new Stream();
  stream.go(51, 16, 22);
  assert.equal(stream.trial.holdsUp, true, 'the trial without waits');
  stream.now += 11;
  stream.go(1, 16, 22);
  assert.equal(stream.trial.holdsUp, false, 'it begins anew');
});
