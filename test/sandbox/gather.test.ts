import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Gather } from '../../sandbox/slot/gather.js';

/** A gather with a clock that stands still, in milliseconds. */
class Rig {
  /** Frames of each publish, and when. */
  readonly published: { readonly at: number; readonly frames: number }[] = [];
  readonly gather: Gather;
  isBusy = false;
  /** Waits hold those up who send. */
  holdsUp = false;
  /** Frames that had gone, each time that its trial was told. */
  readonly tried: number[] = [];
  readonly #t: TestContext;
  readonly #immediates = new Set<() => void>();
  #now = 1000;
  #waiting = 0;
  #gone = 0;

  constructor(t: TestContext) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    // Those of the library come before all timers, and each behind the other in one turn.
    t.mock.method(globalThis, 'setImmediate', (callback: () => void) => {
      this.#immediates.add(callback);
      return callback;
    });
    t.mock.method(globalThis, 'clearImmediate', (callback: () => void) => this.#immediates.delete(callback));
    t.mock.method(performance, 'now', () => this.#now);
    this.gather = new Gather(
      () => this.#waiting,
      () => this.#gone,
      () => {
        this.#gone += this.#waiting;
        this.published.push({ at: this.#now, frames: this.#waiting });
        this.#waiting = 0;
      },
      { isBusy: () => this.isBusy },
      this.#trial(),
    );
  }

  #trial(): { readonly holdsUp: boolean; publishing(frames: number): void } {
    const rig = this;
    return {
      get holdsUp() {
        return rig.holdsUp;
      },
      publishing: frames => void rig.tried.push(frames),
    };
  }

  /** A full batch goes by itself, without a word to the gather. */
  goByItself(): void {
    this.#gone += this.#waiting;
    this.#waiting = 0;
  }

  /** So many more frames come for an idle sandbox. */
  come(frames: number): void {
    this.#waiting += frames;
    this.gather.offer(this.#waiting);
  }

  /** So much later in a turn of the loop: first what is due, then who has waited for the sockets. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.#t.mock.timers.tick(milliseconds);
    this.turn();
  }

  /** A turn of the loop, in no time. */
  turn(): void {
    const callbacks = [...this.#immediates];
    this.#immediates.clear();
    for (const callback of callbacks) callback();
  }

  /** 16 frames, and so many more within the millisecond that these wait. True if they did, and not for the sockets only. */
  wait(more: number): boolean {
    const before = this.published.length;
    this.come(16);
    this.turn();
    this.turn();
    const waits = this.published.length === before;
    if (waits) this.come(more);
    this.pass(1);
    return waits;
  }

  /** Milliseconds until frames wait again. */
  pause(): number {
    for (let passed = 0; passed < 10_000; passed += 10) {
      this.pass(9);
      if (this.wait(0)) return passed;
    }
    return Number.NaN;
  }
}

/** Frames of each publish. */
function batches({ published }: Rig): number[] {
  return published.map(({ frames }) => frames);
}

test('frames that come one by one are published at once', t => {
  const rig = new Rig(t);
  for (let turn = 0; turn < 100; turn++) {
    rig.come(1);
    assert.equal(rig.published.length, turn + 1);
    rig.pass(0.5);
  }
});

test('fifteen frames are published at once, sixteen wait a millisecond for more', t => {
  const rig = new Rig(t);
  rig.come(15);
  assert.deepEqual(batches(rig), [15]);
  rig.pass(2);
  rig.come(16);
  rig.come(5);
  assert.deepEqual(batches(rig), [15]);
  rig.pass(1);
  assert.deepEqual(batches(rig), [15, 21]);
});

test('what was published within the same millisecond counts: the sixteenth frame waits', t => {
  const rig = new Rig(t);
  for (let frame = 0; frame < 15; frame++) rig.come(1);
  assert.equal(rig.published.length, 15);
  rig.come(1);
  rig.come(1);
  assert.equal(rig.published.length, 15);
  rig.pass(1);
  assert.deepEqual(batches(rig).at(-1), 2);
});

test('the count begins anew after a millisecond', t => {
  const rig = new Rig(t);
  rig.come(15);
  rig.pass(1.1);
  rig.come(15);
  assert.deepEqual(batches(rig), [15, 15]);
});

test('a stream that has waited waits on: the next frame after a batch is not published alone', t => {
  const rig = new Rig(t);
  rig.wait(100);
  rig.come(1);
  assert.deepEqual(batches(rig), [116]);
  rig.pass(1);
  assert.deepEqual(batches(rig), [116, 1]);
});

test('what came is published once, by one timer, however often it was offered', t => {
  const rig = new Rig(t);
  for (let frame = 0; frame < 50; frame++) rig.come(16);
  rig.pass(10);
  assert.deepEqual(batches(rig), [800]);
});

test('seven waits in vain change nothing; after the eighth none waits for 100 ms', t => {
  const rig = new Rig(t);
  for (let turn = 0; turn < 7; turn++) assert.equal(rig.wait(7), true, `wait ${turn}`);
  assert.equal(rig.wait(7), true, 'the eighth');
  assert.equal(rig.wait(7), false, 'the pause');
  const passed = rig.pause();
  assert.ok(passed >= 80 && passed <= 100, `${passed} ms`);
});

test('a wait that gained eight frames ends the row of those in vain', t => {
  const rig = new Rig(t);
  for (let turn = 0; turn < 100; turn++) assert.equal(rig.wait(turn % 8 === 7 ? 8 : 7), true, `wait ${turn}`);
});

test('each pause is twice as long as the last, up to 3.2 s; one good wait makes them short again', t => {
  const rig = new Rig(t);
  const miss = (): number => {
    for (let turn = 0; rig.wait(0); turn++) assert.ok(turn < 20, 'no pause');
    return rig.pause();
  };
  const pauses = Array.from({ length: 8 }, miss);
  for (const [i, wanted] of [100, 200, 400, 800, 1600, 3200, 3200, 3200].entries())
    assert.ok(pauses[i]! > wanted - 30 && pauses[i]! <= wanted, `pause ${i}: ${pauses[i]} of ${wanted}`);
  rig.wait(100);
  assert.ok(miss() <= 100);
});

test('in a host without time to spare two frames wait for more, and one more is worth it', t => {
  const rig = new Rig(t);
  rig.isBusy = true;
  for (let turn = 0; turn < 100; turn++) {
    rig.come(2);
    rig.come(1);
    assert.equal(rig.published.length, turn, 'they wait');
    rig.pass(1);
  }
  assert.deepEqual(new Set(batches(rig)), new Set([3]));
  rig.isBusy = false;
  rig.pass(2);
  rig.come(2);
  assert.equal(batches(rig).at(-1), 2);
});

test('in a host without time to spare a wait that paid is followed by another, one in vain is not', t => {
  const rig = new Rig(t);
  rig.isBusy = true;
  rig.come(2);
  rig.come(1);
  rig.pass(1);
  rig.pass(2);
  rig.come(1);
  assert.deepEqual(batches(rig), [3], 'it waits though it comes alone');
  rig.pass(1);
  assert.deepEqual(batches(rig), [3, 1]);
  rig.pass(2);
  rig.come(1);
  assert.deepEqual(batches(rig), [3, 1, 1], 'the last wait was in vain');
});

test('where waits hold those up who send, frames wait until two turns in a row bring no more', t => {
  const rig = new Rig(t);
  rig.holdsUp = true;
  rig.come(16);
  rig.turn();
  assert.deepEqual(batches(rig), []);
  rig.turn();
  assert.deepEqual(batches(rig), [16]);
  rig.come(1);
  rig.turn();
  rig.turn();
  assert.deepEqual(batches(rig), [16, 1], 'so does the next, though it comes alone');
});

test('where waits hold those up who send, frames wait no longer than a millisecond, though each turn brings one more', t => {
  const rig = new Rig(t);
  rig.holdsUp = true;
  rig.come(16);
  for (let turn = 0; turn < 3; turn++) {
    rig.come(1);
    rig.pass(0.3);
  }
  assert.deepEqual(batches(rig), []);
  rig.come(1);
  rig.pass(0.3);
  assert.deepEqual(batches(rig), [20]);
});

test('whether waits hold those up who send is judged by all frames, those of full batches included', t => {
  const rig = new Rig(t);
  rig.wait(20);
  rig.holdsUp = true;
  rig.wait(0);
  assert.deepEqual(rig.tried, [36, 52]);
  rig.holdsUp = false;
  rig.pass(2);
  rig.come(100);
  rig.goByItself();
  rig.wait(20);
  assert.deepEqual(rig.tried, [36, 52, 188]);
});

test('while waits are in vain there is nothing to be tried', t => {
  const rig = new Rig(t);
  for (let turn = 0; turn < 8; turn++) rig.wait(0);
  const told = rig.tried.length;
  rig.wait(0);
  assert.equal(rig.tried.length, told);
});

test('in a host without time to spare frames that come one by one are published at once', t => {
  const rig = new Rig(t);
  rig.isBusy = true;
  for (let turn = 0; turn < 100; turn++) {
    rig.come(1);
    assert.equal(rig.published.length, turn + 1);
    rig.pass(1.1);
  }
});

test('when it is stopped nothing more is published', t => {
  const rig = new Rig(t);
  rig.come(16);
  rig.gather.stop();
  rig.pass(10);
  assert.deepEqual(batches(rig), []);
});

test('five hundred and twelve frames wait for what is there to be read, and not for the millisecond', t => {
  const rig = new Rig(t);
  rig.come(511);
  rig.turn();
  assert.deepEqual(batches(rig), []);
  rig.come(1);
  assert.deepEqual(batches(rig), []);
  // The rest of what was sent with them.
  rig.come(300);
  rig.turn();
  assert.deepEqual(batches(rig), [], 'there was more, and may be more still');
  rig.turn();
  assert.deepEqual(batches(rig), [812]);
  rig.pass(1);
  assert.deepEqual(batches(rig), [812], 'the millisecond has no more to say');
});

test('frames behind a batch that went by itself and came back before the sockets were looked at again are published', t => {
  const rig = new Rig(t);
  rig.come(600);
  rig.goByItself();
  rig.come(15);
  rig.turn();
  rig.pass(2);
  assert.deepEqual(batches(rig), [15]);
});

test('a wait that ended while the sockets were looked at again and again is judged by all that came in it', t => {
  const rig = new Rig(t);
  for (let turn = 0; turn < 20; turn++) {
    rig.come(16);
    assert.equal(rig.published.length, turn, `wait ${turn}`);
    rig.come(600);
    rig.come(100);
    // It finds more and is followed by another, and the millisecond is over before that.
    rig.turn();
    rig.pass(1);
    assert.equal(batches(rig).at(-1), 716);
  }
});

test('five hundred and twelve frames wait no longer than a millisecond, though each turn brings one more', t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  let waiting = 512;
  const published: { readonly at: number; readonly frames: number }[] = [];
  const gather = new Gather(
    () => {
      now += 0.25;
      waiting = Math.min(waiting + 1, 2048);
      return waiting;
    },
    () => 0,
    () => published.push({ at: now, frames: waiting }),
    { isBusy: () => false },
  );
  gather.offer(waiting);
  t.mock.timers.tick(0);
  assert.deepEqual(published, [{ at: 1001, frames: 516 }]);
});
