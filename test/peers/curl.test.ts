import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { runProgram } from './program.js';

const CURL = '/usr/bin/curl';

/** A gateway with HTTP ingest, a mosquitto behind it, and mosquitto_sub as the witness. */
async function scene(t: TestContext) {
  const folder = await tempFolder(t);
  const broker = await Mosquitto.start(folder);
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const rig = await startGateway(
    t,
    {
      sources: { hooks: { http: { port: 0 } } },
      sinks: { plant: mqtt(broker.port, { version: 5 }) },
      routes: [{ from: 'hooks', through: ['echo'] }],
    },
    ['echo'],
  );
  const port = /:(\d+) takes/.exec((await rig.book.said(/takes POST/)).msg)?.[1] as string;
  const curl = (...args: string[]): Promise<string> =>
    runProgram(CURL, ['-sS', '-w', ' %{http_code}', ...args, `http://127.0.0.1:${port}/ingest/hooks`]);
  return { folder, witness, curl };
}

test('what curl posts arrives at a mosquitto: one body, lines, gzip', async t => {
  const { folder, witness, curl } = await scene(t);
  assert.equal(
    await curl('--data-binary', '{"a":1}', '-H', 'Content-Type: application/json'),
    '{"frames":1} 202',
  );
  const lines = ['-H', 'Content-Type: application/x-ndjson'];
  assert.equal(await curl(...lines, '--data-binary', '{"a":2}\n{"a":3}\n'), '{"frames":2} 202');
  const packed = join(folder, 'lines.gz');
  await writeFile(packed, gzipSync('{"a":4}\n{"a":5}\n'));
  assert.equal(
    await curl(...lines, '-H', 'Content-Encoding: gzip', '--data-binary', `@${packed}`),
    '{"frames":2} 202',
  );
  assert.match(await curl('-H', 'Prefer: respond-async', '-d', '{"a":6}'), / 202$/);
  await witness.atLeast(6);
  assert.deepEqual(
    witness.messages.map(({ payload }) => JSON.parse(String(payload)).a),
    [1, 2, 3, 4, 5, 6],
  );
});

test('curl is told why 10 MB, a gzip bomb and a chunked body are not taken', async t => {
  const { folder, curl } = await scene(t);
  const large = join(folder, 'large');
  await writeFile(large, Buffer.alloc(10 << 20));
  assert.match(await curl('--data-binary', `@${large}`), /SLUICE_FRAME_TOO_LARGE.* 413$/);
  const bomb = join(folder, 'bomb.gz');
  await writeFile(bomb, gzipSync(Buffer.alloc(200 << 20)));
  assert.match(
    await curl('-H', 'Content-Encoding: gzip', '--data-binary', `@${bomb}`),
    /SLUICE_FRAME_TOO_LARGE.* 413$/,
  );
  assert.match(await curl('-H', 'Transfer-Encoding: chunked', '-d', 'x'), /SLUICE_HEADER_REQUEST.* 400$/);
});
