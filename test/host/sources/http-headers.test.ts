import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_POLICY, type HeaderRules, type Policy } from '../../../runtime/index.js';
import { httpScene, raw } from '../../support/sources/http-rig.js';

const answering = (response: HeaderRules): Policy => ({
  ...DEFAULT_POLICY,
  version: 7,
  headers: { ...DEFAULT_POLICY.headers, response },
});
const JSON_ONLY = answering({ '*': 'any', 'content-type': ['application/json'] });
const NOTHING = answering({ '*': [] });

test('where the policy does not let the answer through, nothing is taken that could not be answered', async t => {
  const { ingress, post } = await httpScene(t, {}, { current: NOTHING });
  const { status, headers, body } = await post('x');
  assert.deepEqual([status, body, ingress.frames.length], [503, '', 0]);
  const { connection: _, date: __, 'keep-alive': ___, ...rest } = headers;
  assert.deepEqual(rest, { 'content-length': '0' }, 'the refusal has no header that is forbidden either');
  assert.equal(ingress.skipsOf('SLUICE_HEADER_RESPONSE'), 1);
  assert.match(
    ingress.faultsOf('SLUICE_HEADER_RESPONSE').join('\n'),
    /the response has content-type \(and 2 more\): policy 7 allows headers\.response\.\*: none/,
  );
});

test('a refusal with a header that is not allowed is dropped: its status goes out without body, and is counted', async t => {
  const { ingress, post } = await httpScene(t, {}, { current: JSON_ONLY });
  const { status, headers, body } = await post('x', {}, '/ingest/plc', 'PUT');
  assert.deepEqual([status, body, headers['content-type'], headers.allow], [405, '', undefined, 'POST']);
  assert.match(
    ingress.faultsOf('SLUICE_HEADER_RESPONSE').join(),
    /an answer was dropped: .*application\/problem\+json: policy 7/,
  );
});

test('what was taken before the policy changed is answered as delivered, without the forbidden headers', async t => {
  const policy = { current: DEFAULT_POLICY };
  const { ingress, source, post } = await httpScene(t, {}, policy);
  const answer = post('x');
  await ingress.until(() => ingress.frames.length === 1);
  policy.current = NOTHING;
  source.delivered(1);
  const { status, headers, body } = await answer;
  assert.deepEqual(
    [status, body, headers['content-type'], headers['cache-control']],
    [202, '', undefined, undefined],
  );
  assert.equal(ingress.faultsOf('SLUICE_HEADER_RESPONSE').length, 1);
});

test('a header that comes twice is judged with both values', async t => {
  const request: HeaderRules = { '*': 'any', 'content-type': ['text/plain'] };
  const policy = { ...DEFAULT_POLICY, headers: { ...DEFAULT_POLICY.headers, request } };
  const { ingress, port } = await httpScene(t, {}, { current: policy });
  const text = await raw(
    port,
    'POST /ingest/plc HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-type: text/plain\r\ncontent-type: text/html\r\nconnection: close\r\n\r\nx',
  );
  assert.match(text, /^HTTP\/1\.1 400 /);
  assert.equal(ingress.skipsOf('SLUICE_HEADER_REQUEST'), 1);
});
