import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TicketLine } from '../../../host/route/ticket/ticket-line.js';

/** Origin 0 is a source, origin 1 one whose frames overtake. */
function lineOf(): { line: TicketLine; told: string[] } {
  const told: string[] = [];
  const line = new TicketLine(
    [],
    () => 2,
    (origin, sequence) => told.push(`${origin} up to ${sequence}`),
    slab => told.push(`slab ${slab}`),
    [1],
  );
  return { line, told };
}

test('frames that come back from a full disk are told delivered though a frame before them waits for a place there', () => {
  const { line, told } = lineOf();
  const waits = line.open(0);
  waits.last[0] = 5;
  waits.take();
  waits.seal();
  for (const [slab, sequence] of [
    [1, 3],
    [2, 4],
  ] as const) {
    const back = line.open(slab);
    back.last[1] = sequence;
    back.seal();
  }
  assert.deepEqual(told, ['1 up to 3', '1 up to 4']);
  waits.settle(1);
  assert.deepEqual(told.slice(2), ['0 up to 5', 'slab 2']);
});

test('among themselves frames that overtake keep their order', () => {
  const { line, told } = lineOf();
  const first = line.open(0);
  first.last[1] = 1;
  first.take();
  first.seal();
  const other = line.open(1);
  other.last[0] = 7;
  other.take();
  other.seal();
  const second = line.open(2);
  second.last[1] = 2;
  second.seal();
  assert.deepEqual(told, []);
  first.settle(1);
  assert.deepEqual(told, ['1 up to 1', '1 up to 2', 'slab 0']);
});
