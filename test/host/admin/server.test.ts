import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { isLoopback, isLoopbackHeader } from '../../../host/admin/server/loopback.js';
import { startServer } from '../../../host/admin/server/server.js';
import { Token } from '../../../host/admin/server/token.js';
import { createLog } from '../../../host/telemetry/log.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { DEFAULT_POLICY } from '../../../runtime/index.js';

const TOKEN = 'a-token-of-the-tests';
const common = {
  token: new Token(TOKEN),
  report: new Reporter(createLog({ environment: { SLUICE_LOG: 'silent' } })),
  version: '0.0.0',
  resources: [],
  policy: { current: DEFAULT_POLICY },
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function get(
  port: number,
  path: string,
  options: { host?: string; method?: string } = {},
): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    ...(options.host === undefined ? {} : { host: options.host }),
  };
  const sent = request({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers });
  sent.end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, type: String(response.headers['content-type']), body };
}

const READY = { ready: true, reasons: [] as string[], degraded: [] };

async function start(t: TestContext, state = { ...READY }, report = common.report) {
  const metrics = new Metrics();
  const ready = () => state;
  const admin = await startServer({ ...common, host: '127.0.0.1', port: 0, metrics, ready, report });
  t.after(() => admin.stop());
  return { port: admin.port, metrics, state };
}

test('livez answers as long as the process serves', async t => {
  const { port } = await start(t);
  assert.deepEqual(await get(port, '/livez'), {
    status: 200,
    type: 'application/json; charset=utf-8',
    body: '{"live":true}',
  });
});

test('readyz says why it is not ready, with 503', async t => {
  const { port, state } = await start(t);
  assert.equal((await get(port, '/readyz')).status, 200);
  Object.assign(state, { ready: false, reasons: ['route line1: nothing can be delivered'] });
  const answer = await get(port, '/readyz');
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.body), {
    ready: false,
    reasons: ['route line1: nothing can be delivered'],
    degraded: [],
  });
});

test('metrics are in the Prometheus text format', async t => {
  const { port, metrics } = await start(t);
  metrics.source('line1').frames(5);
  const answer = await get(port, '/metrics');
  assert.match(answer.type, /^text\/plain; version=0\.0\.4/);
  assert.match(answer.body, /^sluice_frames_total\{source="line1"\} 5$/m);
});

test('an unknown path or method is a problem document', async t => {
  const { port } = await start(t);
  for (const [path, method, status, code] of [
    ['/nothing', 'GET', 404, 'SLUICE_ADMIN_PATH'],
    ['/livez', 'POST', 405, 'SLUICE_ADMIN_METHOD'],
  ] as const) {
    const answer = await get(port, path, { method });
    assert.equal(answer.status, status);
    assert.match(answer.type, /^application\/problem\+json/);
    const problem = JSON.parse(answer.body) as Record<string, unknown>;
    assert.equal(problem.type, 'about:blank');
    assert.equal(problem.status, status);
    assert.equal(problem.code, code);
    assert.match(String(problem.remedy), /\w/);
  }
});

test('what is no request, or only a part of one, is answered with a problem document too', async t => {
  const { port } = await start(t);
  for (const [bytes, status, detail] of [
    ['\x16\x03\x01 no HTTP\r\n\r\n', 400, /it is not HTTP/],
    ['GET /v1/plug', 400, /ended early/],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, /larger than 16 KiB/],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    socket.end(bytes);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
    assert.match(head, /^content-type: application\/problem\+json/m);
    const problem = JSON.parse(body);
    assert.deepEqual([problem.status, problem.code], [status, 'SLUICE_ADMIN_REQUEST']);
    assert.match(problem.detail, detail);
  }
});

test('connections beyond those that it takes are counted, and said', async t => {
  const report = new Reporter(createLog({ environment: { SLUICE_LOG: 'silent' } }));
  const said: string[] = [];
  report.onFault = ({ code, message }, { peer }) => said.push(`${code} ${peer} ${message}`);
  const { port, metrics } = await start(t, undefined, report);
  const open: Socket[] = [];
  t.after(() => open.forEach(socket => void socket.destroy()));
  for (let n = 0; n < 128; n++) {
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    await once(socket, 'connect');
  }
  for (let n = 0; n < 2; n++) {
    const beyond = connect(port, '127.0.0.1').resume();
    beyond.on('error', () => {});
    await once(beyond, 'close');
  }
  const [first, ...others] = said;
  const reason = 'admin: 127.0.0.1 was turned away: all 128 connections are in use';
  assert.equal(first, `SLUICE_ADMIN_CONNECTIONS 127.0.0.1 ${reason}`);
  assert.deepEqual(others, [first]);
  const [counted] = await metrics.values('sluice_admin_connections_refused_total');
  assert.equal(counted?.value, 2);
});

test('a request under a foreign name is refused, whatever it asks for', async t => {
  const { port } = await start(t);
  for (const host of ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', '10.0.0.1']) {
    const answer = await get(port, '/metrics', { host });
    assert.equal(answer.status, 421, host);
    assert.doesNotMatch(answer.body, /sluice_frames/);
  }
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', '[::1]:80']) {
    assert.equal((await get(port, '/livez', { host })).status, 200, host);
  }
});

test('loopback is told apart from what only looks like it', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST'])
    assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.evil', '', '127.0.0.1.evil', '2130706433']) {
    assert.ok(!isLoopback(host), host);
  }
  assert.ok(!isLoopbackHeader(undefined));
  assert.ok(!isLoopbackHeader('127.0.0.1:80:80'));
});

test('a port in use is refused with a code', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const options = {
    metrics: new Metrics(),
    ready: () => ({ ready: true, reasons: [], degraded: [] }),
    ...common,
  };
  await assert.rejects(startServer({ host: '127.0.0.1', port, ...options }), {
    code: 'SLUICE_LISTEN_IN_USE',
  });
});
