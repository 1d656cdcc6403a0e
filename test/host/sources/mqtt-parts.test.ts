import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, filterDefect, TopicFilter } from '../../../host/protocols/mqtt-wire/topic-filter.js';
import { ByteCache } from '../../../host/sources/byte-cache.js';
import { fillSource } from '../../../host/sources/mqtt/config.js';
import { InHand } from '../../../host/sources/mqtt/in-hand.js';

test('a byte string is found only where it is kept, whatever came between', () => {
  const text = fc.string({ maxLength: 5, unit: fc.constantFrom('a', 'b') });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.nat(1)), { maxLength: 200 }), asked => {
      const cache = new ByteCache(16);
      const owner = new Map<number, string>();
      for (const [text, tag] of asked) {
        const bytes = Buffer.from(`>${text}<`);
        const place = cache.find(bytes, 1, bytes.length - 1, tag);
        // Bytes that come again are compared by words.
        assert.equal(cache.find(bytes, 1, bytes.length - 1, tag), place);
        if (place >= 0) assert.equal(owner.get(place), `${tag}${text}`);
        else owner.set(cache.keep(bytes, 1, bytes.length - 1, tag), `${tag}${text}`);
        assert.equal(owner.get(cache.find(bytes, 1, bytes.length - 1, tag)), `${tag}${text}`);
        assert.ok(owner.size <= 16);
      }
    }),
    { numRuns: 300 },
  );
});

test('acknowledgements keep the order of arrival, each message gets one, and none goes before it is delivered', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('take' as const), refused: fc.boolean() }),
    fc.record({ kind: fc.constant('deliver' as const), count: fc.nat(5) }),
    fc.record({ kind: fc.constant('acknowledge' as const) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 100 }), (size, steps) => {
      const recorded: number[] = [];
      const hand = new InHand(size, { recorded: id => recorded.push(id) });
      const waiting: { id: number; sequence: number; reason: number }[] = [];
      let id = 0;
      let sequence = 0;
      let delivered = 0;
      for (const one of steps) {
        assert.equal(hand.count, waiting.length);
        if (one.kind === 'take') {
          if (hand.isFull) continue;
          id += 1;
          const reason = one.refused ? 0x97 : 0;
          const taken = one.refused ? 0 : ++sequence;
          hand.add(id, taken, id, 1 + (id % 2), reason);
          waiting.push({ id, sequence: taken, reason });
        } else if (one.kind === 'deliver') {
          delivered = Math.min(sequence, delivered + one.count);
          hand.delivered(delivered);
        } else {
          const wanted: number[] = [];
          while (waiting.length > 0 && waiting[0]!.sequence <= delivered) {
            const { id: next, reason } = waiting.shift()!;
            wanted.push(
              next % 2 === 1 ? 0x50 : 0x40,
              reason === 0 ? 2 : 3,
              next >> 8,
              next & 0xff,
              ...(reason === 0 ? [] : [reason]),
            );
          }
          assert.equal(hand.isReady, wanted.length > 0);
          assert.deepEqual([...hand.acknowledge()], wanted);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a filter fits a topic exactly where the rules of wildcards say so', () => {
  const level = fc.constantFrom('a', 'b', '', '$x', '+', 'ä');
  const filters = fc.tuple(fc.array(level, { minLength: 1, maxLength: 5 }), fc.boolean());
  const topics = fc.array(fc.constantFrom('a', 'b', '', '$x', 'ä'), { minLength: 1, maxLength: 5 });
  const spelled = (list: readonly string[]): string =>
    list.map(one => (one === '+' ? '[^/]*' : one.replace('$', '\\$'))).join('/');
  fc.assert(
    fc.property(filters, topics, ([levels, open], parts) => {
      const filter = [...levels, ...(open ? ['#'] : [])].join('/');
      const topic = parts.join('/');
      const rule = new RegExp(`^${spelled(levels)}${open ? '(/.*)?' : ''}$`);
      const hidden = topic.startsWith('$') && levels[0] === '+';
      const bytes = Buffer.from(`/${topic}/a`);
      const end = bytes.length - 2;
      assert.equal(new TopicFilter(filter).matches(bytes, 1, end), rule.test(topic) && !hidden, filter);
    }),
    { numRuns: 2_000 },
  );
  const all = Buffer.from('$SYS/load');
  assert.equal(new TopicFilter('#').matches(all, 0, all.length), false);
});

test('a filter that lies within another is known', () => {
  for (const [wide, narrow, within] of [
    ['#', 'a/b', true],
    ['a/+/c', 'a/b/c', true],
    ['a/#', 'a', true],
    ['a/#', 'a/+/#', true],
    ['a/+', 'a/#', false],
    ['a/b', 'a/+', false],
    ['+/b', '$SYS/b', false],
    ['a/+', 'a/b/c', false],
    ['$share/g/#', 'a', false],
  ] as const) {
    assert.equal(covers(wide, narrow), within, `${wide} ${narrow}`);
  }
});

const FILTERS: readonly (readonly [filter: string, words: RegExp | undefined])[] = [
  ['a', undefined],
  ['#', undefined],
  ['a/+/b/#', undefined],
  ['/', undefined],
  ['$share/g/a/#', undefined],
  ['', /is empty/],
  ['a#', /# that is not the last level/],
  ['a/#/b', /# that is not the last level/],
  ['a/b+', /\+ that does not fill/],
  ['a\0', /NUL/],
  ['$share/g', /no filter behind/],
  ['$share/+/a', /without wildcards/],
  ['a'.repeat(65_536), /longer than 65535/],
];

for (const [filter, words] of FILTERS) {
  test(`the topic filter ${JSON.stringify(filter.slice(0, 20))} is ${words === undefined ? 'taken' : 'refused'}`, () => {
    const defect = filterDefect(filter);
    if (words === undefined) assert.equal(defect, undefined);
    else assert.match(defect ?? '', words);
  });
}

test('a source that cannot work is refused with its place in the configuration', () => {
  const url = 'mqtt://h';
  const refused = (more: object, message: RegExp): void =>
    assert.throws(() => fillSource('floor', { url, topics: ['a'], ...more }), {
      code: 'SLUICE_CONFIG_INVALID',
      message,
    });
  refused({ url: 'http://h' }, /sources\.floor\.mqtt\.url/);
  refused({ topics: [] }, /sources\.floor\.mqtt\.topics names no topic/);
  refused({ topics: ['a', 'b#'] }, /sources\.floor\.mqtt\.topics\[1\]/);
  refused(
    { will: { topic: 'a/#', payload: '', qos: 0, retain: false } },
    /sources\.floor\.mqtt\.will\.topic/,
  );
});
