import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions } from '../../../host/plugins/semver.js';

test('versions stand in the order of the specification, whichever two are compared', () => {
  // The row of clause 11, with more around it.
  const rising = [
    '0.9.9',
    '1.0.0-0',
    '1.0.0-2',
    '1.0.0-11',
    '1.0.0-99999999999999999999',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0-x-y',
    '1.0.0',
    '1.0.1',
    '1.10.0',
    '2.0.0-rc.1',
    '2.0.0',
  ];
  for (const [i, a] of rising.entries())
    for (const [j, b] of rising.entries())
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
  assert.equal(compareVersions('1.0.0+a', '1.0.0+b'), 0);
  assert.equal(compareVersions('1.0.0-rc.1+a-b.c', '1.0.0-rc.1'), 0);
});

test('the order of any three versions is one', () => {
  const part = fc.oneof(fc.nat(12).map(String), fc.stringMatching(/^[a-c-]{1,2}$/));
  const version = fc
    .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.array(part, { maxLength: 3 }))
    .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length === 0 ? '' : `-${pre.join('.')}`}`);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0 || 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
    }),
  );
});
