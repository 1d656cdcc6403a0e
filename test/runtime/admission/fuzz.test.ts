import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProperties, runTruncations, seeds, type Tried } from '../../support/modules/scan-properties.js';

/** About three seconds; `npm run test:long` tries a million. */
const CASES = 8000;
const good = await seeds();

test('any bytes, and good modules with bytes changed: facts or a coded refusal, and never less strict than V8', () => {
  const tried: Tried = { cases: 0, valid: 0, compared: 0, lent: 0 };
  runProperties(CASES, good, tried);
  assert.ok(tried.valid > CASES / 50, `only ${tried.valid} of ${tried.cases} cases were valid modules`);
  assert.ok(tried.lent > tried.valid / 20, `only ${tried.lent} of ${tried.valid} were given a memory`);
  assert.ok(tried.compared > tried.valid / 4, `wasmparser read only ${tried.compared} of ${tried.valid}`);
});

test('a module that is cut off at any byte is refused with a code, or is a module still', () => {
  const tried: Tried = { cases: 0, valid: 0, compared: 0, lent: 0 };
  runTruncations(good, tried);
  assert.ok(tried.cases > 1500, String(tried.cases));
});
