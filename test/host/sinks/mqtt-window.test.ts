import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backoff } from '../../../host/mqtt/backoff.js';
import { PublishEncoder } from '../../../host/protocols/mqtt-wire/publish.js';
import { type Run, SendWindow } from '../../../host/sinks/mqtt/window.js';
import type { Ticket } from '../../../host/sinks/sink.js';
import { numberedId, Recorder } from '../../support/mqtt/mqtt-recorder.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

const encoder = new PublishEncoder(4, Buffer.alloc(0));

/** Takes a message whose payload is `number`, padded to `size`; false if the window has no room. */
function take(window: SendWindow, number: number, size: number, qos: number, ticket: Recorder): boolean {
  const view = viewOf({ topic: 't', payload: String(number).padEnd(size, ' '), qos });
  if (window.isFull) return false;
  encoder.measure(view, qos);
  const segment = window.store.room(encoder.size);
  if (segment === undefined) return false;
  encoder.write(view, segment.bytes, segment.used, qos > 0 ? window.nextId : 0);
  window.push(segment, encoder.size, qos, ticket, view, numberedId(number));
  return true;
}

/** The number in a packet on the topic `t`, which is all of `bytes[at, end)`. */
function numberOf(bytes: Buffer, at: number, end: number): number {
  const body = at + (bytes[at + 1]! >= 0x80 ? 3 : 2);
  return Number(bytes.toString('latin1', body + 3 + ((bytes[at]! & 0x06) === 0 ? 0 : 2), end));
}

/** The messages of a run as [number, packet identifier], read from its bytes. */
function packetsOf(run: Run): [number: number, id: number][] {
  const found: [number, number][] = [];
  let at = run.start;
  while (at < run.end) {
    const { bytes } = run.segment;
    const twoBytes = bytes[at + 1]! >= 0x80;
    const remaining = twoBytes ? (bytes[at + 1]! & 0x7f) | (bytes[at + 2]! << 7) : bytes[at + 1]!;
    const body = at + (twoBytes ? 3 : 2);
    const confirmed = (bytes[at]! & 0x06) !== 0;
    const payload = bytes.toString('latin1', body + 3 + (confirmed ? 2 : 0), body + remaining);
    found.push([Number(payload), confirmed ? bytes.readUInt16BE(body + 3) : 0]);
    at = body + remaining;
  }
  assert.equal(found.length, run.count);
  return found;
}

interface Model {
  /** Numbers taken and not settled, in order. */
  open: number[];
  /** Of these: on the wire, by packet identifier. */
  ids: Map<number, number>;
  runs: { run: Run; zero: number[] }[];
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('take'), size: fc.nat(400), qos: fc.constantFrom(0, 1, 1) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('send'), quota: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('acknowledge'), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('written') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconnect'), present: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look') }) },
);

test('whatever is taken, sent, confirmed and lost in whatever order, the window keeps bytes, order and bounds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (slots, steps) => {
        const tickets = [new Recorder(), new Recorder()] as const;
        const ticketOf = (number: number): Recorder => tickets[(number >> 1) % 2 === 0 ? 0 : 1];
        const window = new SendWindow(slots, 2_048);
        const model: Model = { open: [], ids: new Map(), runs: [] };
        const settled = (ticket: Ticket, number: number): void => {
          assert.ok(model.open.includes(number), 'only what is open is settled');
          assert.equal(ticket, ticketOf(number));
          model.open.splice(model.open.indexOf(number), 1);
        };
        let next = 0;
        let lastSent = -1;
        for (const one of steps) {
          if (one.kind === 'take') {
            const { size, qos } = one as { size: number; qos: number };
            if (take(window, next, size, qos, ticketOf(next))) model.open.push(next++);
          } else if (one.kind === 'send') {
            const { quota } = one as { quota: number };
            const run = window.next(quota);
            if (run === undefined) continue;
            const packets = packetsOf(run);
            for (const [number, id] of packets) {
              assert.ok(number > lastSent, 'in order, nothing twice on one connection');
              assert.ok(model.open.includes(number), 'nothing that is settled');
              lastSent = number;
              if (id > 0) {
                assert.ok(!model.ids.has(id), 'an identifier is used once at a time');
                model.ids.set(id, number);
              }
            }
            assert.ok(run.confirmed <= quota);
            model.runs.push({ run, zero: packets.filter(([, id]) => id === 0).map(([number]) => number) });
          } else if (one.kind === 'acknowledge' && model.ids.size > 0) {
            const { pick } = one as { pick: number };
            const [id, number] = [...model.ids][pick % model.ids.size]!;
            settled(window.settle(window.slotOf(id)), number);
            model.ids.delete(id);
            assert.equal(window.slotOf(id), -1);
          } else if (one.kind === 'written') {
            const written = model.runs.shift();
            if (written === undefined) continue;
            const { run, zero } = written;
            window.settleTaken(run, (ticket, count) => {
              for (let i = 0; i < count; i++) settled(ticket, zero.shift()!);
              assert.equal(window.inFlight, model.open.length, 'what was told is done');
            });
            assert.deepEqual(zero, []);
            window.store.unpin(run.segment);
          } else if (one.kind === 'reconnect') {
            for (const { run } of model.runs.splice(0)) window.store.unpin(run.segment);
            window.rewind((one as { present: boolean }).present);
            model.ids.clear();
            lastSent = -1;
          } else if (one.kind === 'look') {
            const seen: number[] = [];
            window.forEach((slot, length) => {
              const { bytes, at } = window.slots.packetOf(slot);
              seen.push(numberOf(bytes, at, at + length));
              assert.equal(window.slots.ticketOf(slot), ticketOf(seen.at(-1)!));
            });
            assert.deepEqual(seen, model.open, 'each message that is open is shown by itself');
          }
          assert.equal(window.inFlight, model.open.length);
          assert.ok(window.store.held <= 2_048);
          assert.ok(model.open.length <= slots);
        }
        // In the end everything that is still open goes out, each once, oldest first.
        for (const { run } of model.runs.splice(0)) window.store.unpin(run.segment);
        window.rewind(false);
        const rest: number[] = [];
        for (let run = window.next(100); run !== undefined; run = window.next(100)) {
          rest.push(...packetsOf(run).map(([number]) => number));
        }
        assert.deepEqual(rest, model.open);
      },
    ),
    { numRuns: 500 },
  );
});

test('packets that were rewritten still lie one behind the other, and leave in one write', () => {
  const five = new PublishEncoder(5, Buffer.alloc(0));
  const window = new SendWindow(100, 65_536);
  for (let i = 0; i < 100; i++) {
    const view = viewOf({
      topic: 't',
      payload: String(i),
      contentType: 'text/plain',
      properties: [['k', 'v']],
    });
    five.measure(view, 1);
    const segment = window.store.room(five.size)!;
    five.write(view, segment.bytes, segment.used, window.nextId);
    window.push(segment, five.size, 1, new Recorder(), view, numberedId(i));
  }
  window.adapt({ dropProperties: true, hasProperties: true, dropQos: false, dropRetain: false });
  const runs: Run[] = [];
  for (let run = window.next(100); run !== undefined; run = window.next(100)) runs.push(run);
  const numbers = runs.flatMap(run => packetsOf(run).map(([number]) => number));
  assert.deepEqual(numbers, [...Array(100).keys()]);
  assert.ok(runs.length <= 2, `${runs.length} writes`);
});

test('memory that was used once is used again', () => {
  const ticket = new Recorder();
  const window = new SendWindow(1_000, 1024 * 1024);
  const buffers = new Set<Buffer>();
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 1_000; i++) assert.ok(take(window, i, 300, 1, ticket));
    for (let run = window.next(1_000); run !== undefined; run = window.next(1_000)) {
      buffers.add(run.segment.bytes);
      window.store.unpin(run.segment);
    }
    for (let id = 1; id <= 1_000; id++) window.settle(window.slotOf(id));
  }
  assert.ok(buffers.size <= 6, `${buffers.size} segments for 300 kB in flight`);
});

test('waiting times double up to the longest, with at least half of it, and begin anew after a success', () => {
  const backoff = new Backoff(100, 1_000);
  for (const most of [100, 200, 400, 800, 1_000, 1_000]) {
    const delay = backoff.delay(false);
    assert.ok(delay >= most / 2 && delay <= most, `${delay} of ${most}`);
  }
  backoff.reset();
  assert.ok(backoff.delay(false) <= 100);
  assert.ok(backoff.delay(true) >= 500);
});
