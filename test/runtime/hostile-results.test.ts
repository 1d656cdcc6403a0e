import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  admit,
  Chain,
  CoreInstance,
  defaultRules,
  FrameWriter,
  HEADER,
  Interned,
  LIMITS,
  MessageCursor,
  OutcomeCursor,
  OutWriter,
  Slab,
  SluiceError,
  type Stage,
  Stamp,
} from '../../runtime/index.js';
import { loadStage } from '../support/chain/direct-runner.js';
import { ARENA, watGuest } from '../support/chain/wat-guest.js';

const scripted = await watGuest('scripted');
const module = new WebAssembly.Module(admit(scripted, 'converter', defaultRules('scripted', 16 << 20)).bytes);
const name = Interned.text('topic');
const list = Interned.properties([['key', 'value']]);

/** A guest whose results are the bytes of the first frame's payload. */
function hostile(kind: 'converter' | 'kernel' = 'converter'): Stage {
  const instance = new CoreInstance(module, kind, 'scripted', () => {});
  instance.configure('{}');
  return { plugin: 'scripted', instance };
}

function grow(slab: Slab, size: number): Slab {
  const larger = new Slab(new SharedArrayBuffer(size));
  larger.u8.set(slab.u8);
  return larger;
}

/** A word of a script: a number as it is, or a place relative to the begin of the arena or of the results. */
type Word = number | { readonly arena: number } | { readonly results: number };

/**
 * Runs a batch whose first frame carries the script, its words put right for where they come to stand.
 * Gives the slab with the outcomes, or throws what the chain throws.
 */
function runScript(
  stages: readonly Stage[],
  script: readonly Word[],
  frames = 1,
  limit = 1 << 20,
): OutWriter {
  const slab = new Slab(new SharedArrayBuffer(256 << 10));
  const writer = new FrameWriter(slab, new Uint32Array(LIMITS.batch * 10), slab.size / 2);
  const bytes = new Uint8Array(script.length * 4);
  const time = Stamp.ofMs(1);
  writer.push(name, name, time, bytes, 0, bytes.length, list);
  const short = Math.min(4, bytes.length);
  for (let frame = 1; frame < frames; frame++) writer.push(name, name, time, bytes, 0, short, undefined);
  const header = new Int32Array(HEADER.words);
  writer.finish(header, 0);
  const dataEnd = header[HEADER.dataEnd] as number;
  const recordsAt = header[HEADER.recordsAt] as number;
  const size = ((dataEnd + 7) & -8) + frames * 40 + 16;
  const results = (ARENA + size + 15) & -16;
  const payload = slab.u32[(recordsAt >> 2) + 6] as number;
  for (const [index, word] of script.entries()) {
    const value =
      typeof word === 'number' ? word : 'arena' in word ? ARENA + word.arena : results + word.results;
    slab.u8.writeUInt32LE(value >>> 0, payload + index * 4);
  }
  const out = new OutWriter(slab, header[HEADER.inputEnd] as number, frames, limit, grow);
  new Chain(stages).run(slab, dataEnd, recordsAt, 0, frames, out);
  return out;
}

/** Every offset of every outcome lies inside the slab. */
function checkOutcomes(out: OutWriter, count: number): void {
  const { slab } = out;
  const outcome = new OutcomeCursor();
  const message = new MessageCursor();
  const inside = (start: number, end: number, what: string): void =>
    assert.ok(start >= 0 && start <= end && end <= slab.size, `${what} [${start}, ${end}) of ${slab.size}`);
  for (let frame = 0; frame < count; frame++) {
    outcome.load(slab, out.outcomesAt, frame);
    if (outcome.code !== undefined) {
      outcome.text(slab);
      continue;
    }
    inside(outcome.offset, outcome.offset + outcome.messages * 48, 'records');
    for (let at = 0; at < outcome.messages; at++) {
      message.load(slab, outcome.offset + at * 48);
      inside(message.topicStart, message.topicEnd, 'topic');
      inside(message.payloadStart, message.payloadEnd, 'payload');
      inside(message.contentTypeStart, message.contentTypeEnd, 'content type');
      assert.ok(message.qos <= 2);
      for (let property = 0; property < message.propertyCount; property++) {
        message.property(property);
        inside(message.keyStart, message.keyEnd, 'key');
        inside(message.valueStart, message.valueEnd, 'value');
      }
    }
  }
}

/** Outcomes that hold, or a coded error that blames the hostile plugin. */
function holds(stages: readonly Stage[], script: readonly Word[], frames = 1): void {
  try {
    checkOutcomes(runScript(stages, script, frames), frames);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    assert.match(thrown.code, /^SLUICE_GUEST_(RESULT|OUTPUT)$/, thrown.message);
    assert.ok(thrown.plugin === undefined || thrown.plugin === 'scripted', thrown.message);
  }
}

const word: fc.Arbitrary<Word> = fc.oneof(
  { arbitrary: fc.nat(8), weight: 4 },
  { arbitrary: fc.constantFrom(0, 1, 16, 48, 256), weight: 3 },
  { arbitrary: fc.nat(60).map(n => ({ results: n * 4 })), weight: 6 },
  { arbitrary: fc.nat(60).map(n => ({ arena: n * 4 })), weight: 2 },
  fc.integer({ min: -64, max: 400 }).map(n => ({ results: n })),
  fc.integer({ min: 0xffffff00, max: 0xffffffff }),
  fc.integer({ min: 0x7fffff00, max: 0x80000100 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** Words in the form of real results, so that most get past the first check: area, results, messages, tuples. */
const shaped: fc.Arbitrary<{ frames: number; script: Word[] }> = fc
  .record({
    frames: fc.integer({ min: 1, max: 3 }),
    tags: fc.array(fc.constantFrom(0, 0, 0, 1, 2), { minLength: 3, maxLength: 3 }),
    lists: fc.array(fc.tuple(fc.constantFrom(0, 48, 96, 4), fc.nat(3)), { minLength: 3, maxLength: 3 }),
    messages: fc.array(fc.array(word, { minLength: 12, maxLength: 12 }), { minLength: 3, maxLength: 3 }),
    tail: fc.array(word, { maxLength: 24 }),
    holes: fc.array(fc.tuple(fc.nat(70), word), { maxLength: 2 }),
  })
  .map(({ frames, tags, lists, messages, tail, holes }) => {
    const script: Word[] = [{ results: 16 }, frames, 0, 0];
    const at = 16 + frames * 16;
    for (let i = 0; i < frames; i++) {
      const [from, count] = lists[i] as [number, number];
      script.push(tags[i] as number, { results: at + from }, count, 0);
    }
    for (const message of messages) {
      // A QoS out of range and lengths beyond all bounds would hide what is behind them.
      const small = (index: number): Word =>
        typeof message[index] === 'number' ? (message[index] as number) % 64 : 3;
      const record = message.slice();
      for (const length of [1, 3, 7]) record[length] = small(length);
      record[8] = typeof message[8] === 'number' ? message[8] & 0x101 : 0;
      record[10] = typeof message[10] === 'number' ? message[10] % 4 : 0;
      script.push(...record);
    }
    script.push(...tail);
    for (const [place, hole] of holes) script[place % script.length] = hole;
    return { frames, script };
  });

const echo = await loadStage('test/guests/echo.wasm', {});

for (const [what, chain] of [
  ['a converter', [hostile()]],
  ['a converter in front of another', [hostile(), echo]],
  ['a converter between two others', [hostile(), hostile(), echo]],
] as const) {
  test(`whatever ${what} returns: outcomes inside the slab, or a code that blames it`, () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), (script, frames) =>
        holds(chain, script, frames),
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(shaped, ({ script, frames }) => holds(chain, script, frames)),
      { numRuns: 3000 },
    );
  });
}

for (const [what, chain] of [
  ['a kernel', [hostile('kernel')]],
  ['a kernel in front of a converter', [hostile('kernel'), echo]],
  ['a kernel in front of a kernel', [hostile('kernel'), hostile('kernel')]],
] as const) {
  test(`whatever ${what} returns: outcomes inside the slab, or a code that blames it`, () => {
    const block = fc
      .tuple(fc.constantFrom(0, 0, 0, 1, 2), fc.array(word, { minLength: 13, maxLength: 40 }))
      .map(([tag, words]) => {
        const script: Word[] = [tag, 0, ...words];
        script[11] = fcFormat(words[9]);
        return script;
      });
    fc.assert(
      fc.property(block, fc.integer({ min: 1, max: 3 }), (script, frames) => holds(chain, script, frames)),
      { numRuns: 3000 },
    );
  });
}

function fcFormat(value: Word | undefined): number {
  return typeof value === 'number' ? value % 3 : 1;
}

test('whatever a flush returns: messages inside the slab, or a code that blames the plugin', () => {
  fc.assert(
    fc.property(shaped, fc.integer({ min: 0, max: 8192 }), fc.nat(4), ({ script }, at, count) => {
      const stage = hostile();
      const chain = new Chain([stage]);
      try {
        runScript([stage], script);
      } catch (thrown) {
        if (!(thrown instanceof SluiceError)) throw thrown;
      }
      const slab = new Slab(new SharedArrayBuffer(256 << 10));
      const out = new OutWriter(slab, 0, 1, 1 << 20, grow);
      try {
        chain.flush(ARENA + (at & -8), count, out);
        checkOutcomes(out, 1);
      } catch (thrown) {
        if (!(thrown instanceof SluiceError)) throw thrown;
        assert.equal(thrown.code, 'SLUICE_GUEST_RESULT', thrown.message);
      }
    }),
    { numRuns: 500 },
  );
});

/** One message in a batch of two frames. The property tuple is at 96 from the begin of the results. */
function withProperties(pointer: Word, count: number, ...tuples: Word[]): Word[] {
  const message: Word[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, pointer, count, 0];
  return [{ results: 16 }, 1, 0, 0, 0, { results: 32 }, 1, 0, ...message, 0, 0, 0, 0, ...tuples];
}

test('an empty text that points anywhere is an empty text, at the end of a chain and between two stages', () => {
  for (const chain of [[hostile()], [hostile(), echo]]) {
    const out = runScript(chain, withProperties({ results: 96 }, 1, 0xfffffff0, 0, 0x80000000, 0));
    checkOutcomes(out, 1);
  }
});

/** Words of a message without texts; its property list. */
function record(at: Word, count: number): Word[] {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, at, count, 0];
}

test('property lists that overlap do not change each other while they are checked', () => {
  // The second list begins at the last word of the first: an empty text's pointer there, a length here.
  const script: Word[] = [
    ...[{ results: 16 }, 1, 0, 0],
    ...[0, { results: 32 }, 2, 0],
    ...record({ results: 128 }, 1),
    ...record({ results: 140 }, 1),
    ...[0, 0, { results: 0 }, 4, 0, 0, 0],
  ];
  const out = runScript([hostile(), echo], script);
  checkOutcomes(out, 1);
  const [outcome, message] = [new OutcomeCursor(), new MessageCursor()];
  outcome.load(out.slab, out.outcomesAt, 0);
  message.load(out.slab, outcome.offset);
  message.property(0);
  assert.equal(message.valueEnd - message.valueStart, 4);
});

for (const [what, frames, messages, properties] of [
  ['messages', 1000, 1500, 0],
  ['properties', 100, 500, 4000],
] as const) {
  test(`${what} that all frames share are not multiplied beyond the limit between two stages`, () => {
    const at = 16 + frames * 16;
    const script: Word[] = [{ results: 16 }, frames, 0, 0];
    for (let i = 0; i < frames; i++) script.push(0, { results: at }, messages, 0);
    for (let i = 0; i < messages; i++) script.push(...record({ results: at + messages * 48 }, properties));
    for (let i = 0; i < properties * 4; i++) script.push(0);
    assert.throws(() => runScript([hostile(), echo], script, frames), {
      code: 'SLUICE_GUEST_OUTPUT',
      plugin: 'scripted',
    });
  });
}

test('a fault is taken down where the results have come to their limit', () => {
  const slab = new Slab(new SharedArrayBuffer(4096));
  const out = new OutWriter(slab, 0, 1, 4096, grow);
  out.at = slab.size - 3;
  out.fault(0, 'SLUICE_GUEST_TRAP', 0, Buffer.from('a text that does not fit any more'));
  const outcome = new OutcomeCursor();
  outcome.load(out.slab, out.outcomesAt, 0);
  assert.equal(outcome.code, 'SLUICE_GUEST_TRAP');
  assert.equal(outcome.text(out.slab), '');
});
