import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../../../runtime/index.js';
import { sluice } from './support.js';

test('a code is explained with cause and remedy, however it is spelt', async () => {
  const spelt = ['SLUICE_LISTEN_IN_USE', 'listen_in_use', 'sluice-listen-in-use'];
  const ended = await Promise.all(spelt.map(code => sluice(['errors', code])));
  for (const { code, stdout } of ended) {
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `SLUICE_LISTEN_IN_USE\n  Cause:  ${ERRORS.SLUICE_LISTEN_IN_USE.cause}\n  Remedy: ${ERRORS.SLUICE_LISTEN_IN_USE.remedy}\n`,
    );
  }
});

test('without a code the whole table is listed', async () => {
  const [text, json] = await Promise.all([sluice(['errors']), sluice(['errors', '--json'])]);
  for (const code of Object.keys(ERRORS)) assert.ok(text.stdout.includes(`${code}\n`), code);
  assert.deepEqual(JSON.parse(json.stdout), ERRORS);
});

test('an unknown code is a usage error with a guess', async () => {
  const { code, stderr } = await sluice(['errors', 'SLUICE_GUEST_DEADLIN']);
  assert.equal(code, 2);
  assert.match(stderr, /did you mean "SLUICE_GUEST_DEADLINE"\?/);
});
