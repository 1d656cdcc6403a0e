import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProperties, seeds, type Tried } from '../support/modules/scan-properties.js';
import { longCases } from './cases.js';

/** At once: fast-check keeps something of each case until a run ends. */
const SLICE = 20_000;
const good = await seeds();

test('a million cases of any bytes and changed modules: facts or a coded refusal, and never less strict than V8', t => {
  const tried: Tried = { cases: 0, valid: 0, compared: 0, lent: 0 };
  for (let left = longCases(); left > 0; left -= SLICE) runProperties(Math.min(left, SLICE), good, tried);
  t.diagnostic(`${tried.cases} cases, ${tried.valid} valid, ${tried.compared} compared with wasmparser`);
  assert.ok(tried.compared > 0);
});
