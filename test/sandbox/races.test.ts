import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { HEADER, Interned, Stamp } from '../../runtime/index.js';
import { Ring, SandboxPool, Slot, type StageSpec } from '../../sandbox/index.js';
import { RING } from '../../sandbox/ring/ring-words.js';
import { Session } from '../../sandbox/worker/session.js';
import { chainOf, guestStage, SlotRig } from '../support/chain/slot-rig.js';
import { watStage } from '../support/chain/wat-guest.js';
import { means, restsOf, samples } from '../support/chain/window-guest.js';

const name = Interned.text('t');
const time = Stamp.ofMs(1);

function push(ring: Ring, bytes: Uint8Array, sequence: number): void {
  assert.ok(ring.push(0, sequence, name, name, time, bytes, 0, bytes.length, undefined));
}

/** Blocks this thread, so that nothing but the sandbox can go on, until a commit is seen. */
function untilCommitted(ring: Ring, sequence: number): void {
  const end = performance.now() + 60_000;
  while (ring.committed !== sequence) assert.ok(performance.now() < end, 'no commit came');
}

test('a commit that comes while the one before is being handled is told of at once', async () => {
  const pool = new SandboxPool({ threads: 2 });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => pool.close());
  const again = Promise.withResolvers<void>();
  let times = 0;
  const slot: Slot = new Slot(pool, {
    committed() {
      if (slot.ring.published === 0) return;
      while (slot.next() !== undefined) slot.ack();
      if (++times === 2) again.resolve();
      if (times > 1) return;
      push(slot.ring, Buffer.from('second'), 2);
      slot.ring.publish();
      untilCommitted(slot.ring, 2);
    },
    fault() {},
    restarted() {},
    failed() {},
    log() {},
  });
  await slot.swap(chainOf([await guestStage('echo')]));
  push(slot.ring, Buffer.from('first'), 1);
  slot.turnEnded();
  await again.promise;
  // Not the flush of an idle second later, which would bring it along.
  assert.equal(slot.ring.published, 2);
  await slot.stop(AbortSignal.timeout(1000));
});

test('a slab that the sandbox made larger is read as such, whoever asks for it first', async () => {
  await using rig = new SlotRig();
  await rig.serve(['big-output'], { deadlineMs: 2000 });
  const { slot } = rig;
  push(slot.ring, Buffer.from([0xee]), 1);
  slot.turnEnded();
  untilCommitted(slot.ring, 1);
  const delivery = slot.next();
  assert.ok(delivery !== undefined);
  delivery.load(0);
  delivery.message.load(delivery.slab, delivery.outcome.offset);
  const { payloadStart, payloadEnd, bytes } = delivery.message;
  assert.equal(payloadEnd - payloadStart, 1 << 20);
  assert.ok(payloadEnd <= bytes.length);
  slot.ack();
});

/** A session in this thread, so that a test can put its steps in any order. */
class Steps {
  readonly ring: Ring;
  readonly #port: MessagePort;
  readonly #other: MessagePort;
  #session: Session | undefined;
  readonly got: [number, string | undefined][] = [];

  constructor(first = 0) {
    this.ring = new Ring(
      { published() {}, replaced: (index, buffer) => this.#session?.replace(index, buffer) },
      4,
      first,
    );
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#other = port2;
  }

  /** A fresh session takes over, as after a death or a swap. */
  async serve(stages: readonly StageSpec[], output = 16 << 20): Promise<void> {
    const { buffers } = this.ring;
    this.#session = await Session.start({ kind: 'start', stages, ring: buffers, output }, message =>
      this.#other.postMessage(message),
    );
    this.#session.serve(this.ring.buffers.slabs, {
      generation: 1,
      states: [],
      every: 0,
      exports: true,
      isFirst: true,
    });
  }

  work(): void {
    this.#session?.work();
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      const { message } = next;
      if (message.kind === 'slab') this.ring.adopt(message.index, message.buffer);
    }
  }

  /** Takes one delivery and acks it. False when there is none. */
  take(): boolean {
    const delivery = this.ring.next();
    if (delivery === undefined) return false;
    for (let frame = delivery.begin; frame < delivery.end; frame++) {
      delivery.load(frame);
      if (!delivery.isFlush) this.got.push([delivery.sequenceOf(frame), delivery.outcome.code]);
    }
    this.ring.ack();
    return true;
  }

  [Symbol.dispose](): void {
    this.#port.close();
    this.#other.close();
  }
}

test('a session that dies while the rest of a slab is still owed leaves no gap and repeats nothing', async () => {
  using steps = new Steps();
  const stages = [await guestStage('big-output', { memory: 64 << 20 })];
  await steps.serve(stages, 3 << 20);
  for (let sequence = 1; sequence <= 6; sequence++) push(steps.ring, Buffer.from([0xee]), sequence);
  steps.ring.publish();
  steps.work();
  for (let sequence = 7; sequence <= 9; sequence++) {
    push(steps.ring, Buffer.from([1]), sequence);
    steps.ring.publish();
  }
  // The first piece is committed and not yet acked; here its thread dies, and another takes the ring over.
  await steps.serve(stages, 3 << 20);
  steps.work();
  assert.equal(steps.ring.committed, 1, 'what is behind the piece has to wait for the rest of it');
  for (let turn = 0; turn < 20; turn++) {
    steps.take();
    steps.work();
  }
  assert.deepEqual(
    steps.got,
    Array.from({ length: 9 }, (_, index) => [index + 1, undefined]),
  );
  assert.equal(steps.ring.outstanding, 0);
});

/**
 * Where each of the deliveries ended, of slabs of so many frames that all fail; the host, which bears 3 more each time, sees
 * one delivery where it says so, and the rest in the end.
 */
async function endsOf(...course: readonly (number | 'look')[]): Promise<number[]> {
  using steps = new Steps(2 ** 31 - 1);
  const { ring } = steps;
  await steps.serve([await guestStage('trap')]);
  const ends: number[] = [];
  const look = (): void => {
    const delivery = ring.next();
    assert.ok(delivery !== undefined);
    ends.push(delivery.end);
    ring.bear(3);
    ring.ack();
    steps.work();
  };
  ring.bear(3);
  for (const step of course) {
    if (step === 'look') look();
    else {
      for (let frame = 1; frame <= step; frame++) push(ring, Buffer.from([0xee]), frame);
      ring.publish();
      steps.work();
    }
  }
  while (ring.ready) look();
  return ends;
}

test('what a thread may fail on before it asks is less by what the host has not seen yet, and no less once it has', async () => {
  assert.deepEqual(await endsOf(2, 6), [2, 2, 6]);
  assert.deepEqual(await endsOf(2, 'look', 6), [2, 4, 6]);
  // The rest of a slab is not seen with its first piece.
  assert.deepEqual(await endsOf(6, 'look', 6), [4, 6, 2, 6]);
});

for (const wrap of [2 ** 31, 2 ** 32]) {
  test(`sequence numbers wrap at ${wrap}: pieces, flushes and a change of sessions go on over it`, async () => {
    using steps = new Steps(wrap - 10);
    const stages = [await guestStage('big-output', { memory: 64 << 20 })];
    await steps.serve(stages, 2 << 20);
    for (let sequence = 1; sequence <= 40; sequence++) {
      push(steps.ring, Buffer.from([sequence % 10 < 5 ? 0xee : 1]), sequence);
      if (sequence % 5 === 0) steps.ring.flush(1);
      if (sequence % 13 === 0) await steps.serve(stages, 2 << 20);
      if (sequence % 3 === 0) steps.ring.publish();
      do steps.work();
      while (steps.take());
    }
    assert.deepEqual(
      steps.got,
      Array.from({ length: 40 }, (_, index) => [index + 1, undefined]),
    );
    assert.deepEqual([steps.ring.outstanding, steps.ring.inUse], [0, 0]);
  });
}

for (const [before, after] of [
  [1, 3],
  [3, 1],
] as const) {
  test(`a flush asked of ${before} stages and answered by ${after} has an outcome for each that answered`, async () => {
    using steps = new Steps();
    const echo = await guestStage('echo');
    // What the slab held before must not be taken for outcomes.
    for (const slab of steps.ring.buffers.slabs) new Uint8Array(slab).fill(0x77);
    steps.ring.flush(before);
    await steps.serve(Array.from({ length: after }, () => echo));
    steps.work();
    const delivery = steps.ring.next();
    assert.ok(delivery?.isFlush);
    assert.equal(delivery.end - delivery.begin, after);
    for (let stage = 0; stage < after; stage++) {
      delivery.load(stage);
      assert.deepEqual([delivery.outcome.code, delivery.outcome.messages], [undefined, 0]);
    }
  });
}

test('a fresh instance after a trap has the start deadline, not that of a call', async () => {
  await using rig = new SlotRig();
  const options = { deadlineMs: 40, config: '400' };
  await rig.slot.swap(chainOf([await watStage('slow-to-start', options)]));
  await rig.run([Buffer.from([1])]);
  const outcomes = await rig.run([[1], [0xee], [2]].map(bytes => Buffer.from(bytes)));
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [undefined, undefined, 'SLUICE_GUEST_TRAP', undefined],
  );
  assert.equal(rig.restarts.length, 0);
});

test('wrong results are told of the stage that returned them', async () => {
  await using rig = new SlotRig();
  await rig.serve(['echo', 'bad-pointer', 'echo']);
  const [outcome] = await rig.run([Buffer.from([0xee])]);
  assert.deepEqual([outcome?.code, outcome?.stage], ['SLUICE_GUEST_RESULT', 1]);
});

/** The threads that a pool gives, in order; each start but the first can be held up. */
function heldStarts(pool: SandboxPool): {
  threads: ReturnType<SandboxPool['take']>[];
  open(index: number): void;
} {
  const threads: ReturnType<SandboxPool['take']>[] = [];
  const gates = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
  const take = pool.take.bind(pool);
  pool.take = () => {
    const sandbox = take();
    const gate = gates[threads.length];
    const start = sandbox.start.bind(sandbox);
    sandbox.start = async (...args) => {
      await start(...args);
      await gate?.promise;
    };
    threads.push(sandbox);
    return sandbox;
  };
  return { threads, open: index => gates[index]?.resolve() };
}

test('a restart that a swap has overtaken does not bring the old chain back', async () => {
  await using rig = new SlotRig();
  const { threads, open } = heldStarts(rig.pool);
  open(0);
  await rig.serve(['echo']);
  threads[0]?.kill('SLUICE_GUEST_DEADLINE', 'by the test');
  await threads[0]?.ended;
  // While thread 1 is to restart that chain, a chain of two stages takes over on thread 2, and dies too.
  open(2);
  await rig.serve(['echo', 'echo']);
  threads[2]?.kill('SLUICE_GUEST_DEADLINE', 'by the test');
  await threads[2]?.ended;
  open(1);
  await threads[1]?.ended;
  open(3);
  await rig.run([Buffer.from('x')]);
  await rig.slot.stop(AbortSignal.timeout(1000));
  assert.equal(rig.flushes.length, 2);
});

test('a generation that takes over from a dead one has the start deadline for its first call', async () => {
  await using rig = new SlotRig();
  await rig.serve(['spin'], { deadlineMs: 60, startDeadlineMs: 700 });
  await rig.push([Buffer.from([0xee])]);
  // It hangs while it drains, is killed, and the batch goes to the new one: 100 rounds are far over 20 ms.
  await rig.serve(['slow'], { deadlineMs: 20, startDeadlineMs: 5000, config: '{"ms":100}' });
  const [outcome] = await rig.settle();
  assert.equal(outcome?.code, undefined, outcome?.text);
  assert.equal(rig.restarts.length, 1);
});

test('stopping hands over every result that was committed before the thread ended', async () => {
  for (let round = 0; round < 4; round++) {
    const rig = new SlotRig();
    await rig.serve(['echo']);
    await rig.push([Buffer.from('x')]);
    await rig.slot.stop(AbortSignal.timeout(1000));
    assert.equal(rig.outcomes.length, 1);
    await rig.pool.close();
  }
});

test('a chain that is started again after a stop is asked for what it holds back when it is idle: the rest of a window', async () => {
  await using rig = new SlotRig();
  await rig.slot.swap(chainOf([await means()]));
  await rig.slot.stop(AbortSignal.timeout(1000));
  await rig.slot.swap(chainOf([await means()]));
  assert.deepEqual(restsOf(rig), []);
  await rig.run([samples(1, 2, 3)]);
  await rig.until(() => restsOf(rig).length > 0);
  assert.deepEqual(restsOf(rig), [2]);
});

test('a frame that was under way when a kill came that was meant for another is not refused for it', async () => {
  await using rig = new SlotRig();
  const { threads, open } = heldStarts(rig.pool);
  for (const index of [0, 1]) open(index);
  await rig.serve(['slow', 'trap'], { deadlineMs: 5000, config: '{"ms":100}' });
  await rig.push([[1], [0xee], [2]].map(bytes => Buffer.from(bytes)));
  const { control } = rig.slot.ring;
  const header = rig.slot.ring.headerOf(0);
  const word = (index: number): number => Atomics.load(control, index);
  const end = performance.now() + 60_000;
  // The second frame runs by itself, in its first stage.
  while (word(header + HEADER.progress) !== 1 || word(RING.stage) !== 0) assert.ok(performance.now() < end);
  threads[0]?.kill('SLUICE_GUEST_DEADLINE', 'for a call before');
  const outcomes = await rig.settle();
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    [
      [1, undefined],
      [2, 'SLUICE_GUEST_TRAP'],
      [3, undefined],
    ],
  );
  assert.equal(rig.restarts.length, 1);
});
