import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Connections } from '../../../host/sources/serve/connections.js';

class One {
  place = -1;
  words: string[] = [];
  end(): void {
    this.words.push('end');
  }
  destroy(): void {
    this.words.push('destroy');
  }
}

test('connections that come and go in any order are those that a set would hold', () => {
  const steps = fc.array(fc.record({ which: fc.nat(9), comes: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, list => {
      const all = Array.from({ length: 10 }, () => new One());
      const connections = new Connections<One>();
      const wanted = new Set<One>();
      for (const { which, comes } of list) {
        const one = all[which]!;
        if (comes && !wanted.has(one)) connections.add(one);
        if (!comes) connections.delete(one);
        if (comes) wanted.add(one);
        else wanted.delete(one);
        assert.equal(connections.size, wanted.size);
        assert.deepEqual(new Set(connections), wanted);
        assert.equal([...connections].length, wanted.size);
      }
    }),
  );
});

test('each has its turn once, also where some are deleted in theirs', () => {
  const connections = new Connections<One>();
  const all = Array.from({ length: 7 }, () => new One());
  for (const one of all) connections.add(one);
  const seen: One[] = [];
  for (const one of connections) {
    seen.push(one);
    if (seen.length % 2 === 0) connections.delete(one);
  }
  assert.deepEqual(new Set(seen), new Set(all));
  assert.equal(seen.length, 7);
  assert.equal(connections.size, 4);
});

test('a close says goodbye to all and waits until the last is gone', async () => {
  const connections = new Connections<One>();
  const all = [new One(), new One()];
  for (const one of all) connections.add(one);
  const closed = connections.close();
  assert.deepEqual(
    all.map(({ words }) => words),
    [['end'], ['end']],
  );
  for (const one of all) connections.delete(one);
  await closed;
});
