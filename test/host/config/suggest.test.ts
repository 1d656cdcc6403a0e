import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, suggest } from '../../../host/config/check/suggest.js';

const KEYS = ['plugins', 'sources', 'sinks', 'routes', 'data', 'admin', 'startDeadline', 'modbus-json'];

test('a typo is met with the key that was meant', () => {
  const typos = [
    'plugin',
    'suorces',
    'sink',
    'rotues',
    'adimn',
    'start_deadline',
    'STARTDEADLINE',
    'modbus_json',
  ];
  const meant = [
    'plugins',
    'sources',
    'sinks',
    'routes',
    'admin',
    'startDeadline',
    'startDeadline',
    'modbus-json',
  ];
  assert.deepEqual(
    typos.map(typo => suggest(typo, KEYS)),
    meant,
  );
});

test('a word that is near nothing gets no guess', () => {
  for (const word of ['zzz', 'x', '', 'completely-different', 'a'.repeat(500)]) {
    assert.equal(suggest(word, KEYS), undefined, word);
  }
});

test('a swap of neighbours counts as one step', () => {
  assert.equal(editDistance('rotues', 'routes'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('the distance is symmetric, zero only for equal texts, and at most the longer length', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
    }),
  );
});
