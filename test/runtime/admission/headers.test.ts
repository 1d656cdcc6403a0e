import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DEFAULT_POLICY,
  type Direction,
  judgeHeaders,
  type Policy,
  refuseHeaders,
  SluiceError,
} from '../../../runtime/index.js';

const POLICY: Policy = { ...DEFAULT_POLICY, version: 7 };
const judged = (direction: Direction, headers: Parameters<typeof judgeHeaders>[1], policy = POLICY) =>
  judgeHeaders(direction, headers, policy).map(({ rule }) => rule);

const CASES: readonly (readonly [Direction, name: string, value: string | string[], admitted: boolean])[] = [
  ['request', 'Content-Encoding', 'gzip', true],
  ['request', 'content-encoding', 'IDENTITY', true],
  ['request', 'content-encoding', 'br', false],
  ['request', 'content-encoding', 'gzip, br', false],
  ['request', 'content-encoding', ['gzip', 'zstd'], false],
  ['request', 'content-encoding', '', false],
  ['request', 'Transfer-Encoding', 'chunked', false],
  ['request', 'transfer-encoding', '', false],
  ['request', 'x-anything', 'goes', true],
  ['response', 'content-encoding', 'gzip', true],
  ['response', 'content-encoding', 'deflate', false],
  ['response', 'transfer-encoding', 'chunked', true],
  ['response', 'transfer-encoding', 'Chunked;q=1', true],
  ['response', 'transfer-encoding', 'gzip, chunked', false],
];
for (const [direction, name, value, admitted] of CASES) {
  test(`a ${direction} with ${name}: ${JSON.stringify(value)} is ${admitted ? 'let through' : 'refused'}`, () => {
    assert.equal(judged(direction, { [name]: value }).length, admitted ? 0 : 1);
  });
}

test('a refusal names the header, the rule with its version, and where to allow it', () => {
  assert.throws(() => refuseHeaders('request', { 'Transfer-Encoding': 'chunked' }, POLICY), {
    code: 'SLUICE_HEADER_REQUEST',
    message:
      'the request has Transfer-Encoding: chunked: policy 7 allows headers.request.transfer-encoding: none; leave the header out, or allow it in plugins.policy.headers.request.transfer-encoding',
  });
  assert.throws(() => refuseHeaders('response', { 'content-encoding': 'br' }, POLICY), {
    code: 'SLUICE_HEADER_RESPONSE',
    message: /policy 7 allows headers\.response\.content-encoding: gzip, identity; send gzip or identity, or/,
  });
});

test('with a rule for all others only headers that are named get through', () => {
  const request = { '*': [], host: 'any', 'content-encoding': ['gzip'] } as const;
  const policy: Policy = { ...POLICY, headers: { ...POLICY.headers, request } };
  assert.deepEqual(judged('request', { host: 'a', 'X-Other': 'b', 'content-encoding': 'gzip' }, policy), [
    'policy.headers.request.*: none',
  ]);
  const [finding] = judgeHeaders('request', { 'X-Other': 'b' }, policy);
  assert.match(finding?.fix ?? '', /allow it in plugins\.policy\.headers\.request\.x-other$/);
});

test('a secret is never in a refusal', () => {
  const request = { '*': [], cookie: ['none'] } as const;
  const policy: Policy = { ...POLICY, headers: { ...POLICY.headers, request } };
  const found = judgeHeaders('request', { authorization: 'Bearer abc', cookie: 'id=abc' }, policy);
  assert.equal(found.length, 2);
  assert.ok(!JSON.stringify(found).includes('abc'));
});

test('whatever a stranger sends is judged without an error, and shown on one short line', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ maxLength: 300 })), headers => {
      const request = { '*': ['x'] } as const;
      const policy: Policy = { ...POLICY, headers: { ...POLICY.headers, request } };
      try {
        refuseHeaders('request', headers, policy);
      } catch (thrown) {
        assert.ok(thrown instanceof SluiceError);
        assert.match(thrown.message, /^[\x20-\x7e]{1,500}$/);
      }
    }),
  );
});
