import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { admit, CoreInstance, defaultRules, faultOf, lendMemory, Room } from '../../runtime/index.js';
import { readSections } from '../../runtime/wasm-sections.js';
import { DirectRunner } from '../support/chain/direct-runner.js';

const POISON = 0xee;
const guests = new URL('../guests/', import.meta.url);
/** They fail in different ways, remember frames, grow, have imports. Those that have much to do at the start are left out: they take long. */
const NAMES = ['echo', 'trap', 'grow', 'memory-fill', 'recurse', 'bad-length', 'counter', 'conformance-cpp'];
const RULES = defaultRules('case', 1 << 20);

/** How the same module may be written: a custom section before each section or not, and sizes and counts padded or not. */
interface Writing {
  readonly customs: readonly boolean[];
  readonly padded: readonly boolean[];
}

const writing: fc.Arbitrary<Writing> = fc.record({
  customs: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  padded: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
});

/** In five bytes, which is as long as it may be. */
function padded(value: number): number[] {
  return [0, 7, 14, 21, 28].map(shift => (Math.floor(value / 2 ** shift) & 0x7f) | (shift < 28 ? 0x80 : 0));
}

function written(bytes: Uint8Array, { customs, padded: pads }: Writing): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const [index, { id, offset, start, end }] of readSections(bytes).entries()) {
    if (customs[index] === true) parts.push(Uint8Array.of(0, 3, 1, 0x78, index));
    if (id === 0 || id === 8 || pads[index] !== true) {
      parts.push(bytes.subarray(offset, end));
      continue;
    }
    let count = 0;
    let next = start;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[next++] as number;
      count += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const head = padded(count);
    parts.push(Uint8Array.of(id, ...padded(head.length + end - next), ...head), bytes.subarray(next, end));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** What becomes of each payload: behind one that is poison for some of them a fresh instance takes over. */
function courseOf(bytes: Uint8Array, room: Room | undefined, payloads: readonly Uint8Array[]): unknown[] {
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  const seen: unknown[] = [];
  const fresh = (): { instance: CoreInstance; runner: DirectRunner } => {
    const log = (...line: unknown[]): void => void seen.push(line);
    const instance = new CoreInstance(module, 'converter', 'case', log, room);
    instance.configure('{}');
    return { instance, runner: new DirectRunner([{ plugin: 'case', instance }]) };
  };
  let { instance, runner } = fresh();
  for (const payload of payloads) {
    seen.push(instance.memoryBytes);
    try {
      const frame = {
        source: 's',
        topic: 't',
        timestamp: '1000',
        properties: [],
        payload: Buffer.from(payload).toString('hex'),
      };
      seen.push(runner.run([frame]));
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      seen.push([code, message]);
    }
    if (payload[0] === POISON) ({ instance, runner } = fresh());
  }
  return seen;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 8 }).map(rest => Uint8Array.of(POISON, ...rest)),
);

test('however a module is written, in a lent memory it does what it does in its own, over failures and growth', async () => {
  const files = await Promise.all(NAMES.map(name => readFile(new URL(`${name}.wasm`, guests))));
  let reused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      writing,
      fc.array(payload, { minLength: 1, maxLength: 4 }),
      (file, how, payloads) => {
        const { bytes } = admit(written(file, how), 'converter', RULES);
        const lent = lendMemory(bytes);
        assert.ok(lent !== undefined && WebAssembly.validate(new Uint8Array(lent.bytes)));
        const room = new Room(lent);
        assert.deepEqual(courseOf(lent.bytes, room, payloads), courseOf(bytes, undefined, payloads));
        if (room.isKept) reused++;
      },
    ),
    { numRuns: 15 },
  );
  assert.ok(reused > 0);
});
