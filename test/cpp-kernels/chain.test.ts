import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readPlugin } from '../../host/plugin-tools/plugin-file.js';
import { runFrames } from '../../host/plugin-tools/run-frames.js';
import { TestBed } from '../../host/plugin-tools/test-bed.js';
import { Subscriber } from '../support/devices/gateway-peers.js';
import { startPlc } from '../support/devices/plc.js';
import { modbus, startGateway } from '../support/gateway/gateway-rig.js';
import { replyOf } from './support.js';

const RMS = { window: 6, input: 'u16be', skip: 9 };

function built(name: string): string {
  return fileURLToPath(new URL(`../../plugins/${name}.wasm`, import.meta.url));
}

test('by configuration alone: a PLC polled over Modbus TCP, RMS over windows that span replies, JSON over MQTT', async t => {
  const plc = await startPlc({ getHoldingRegister: (address: number) => (address % 2 === 0 ? 3 : 4) });
  t.after(() => plc.stop());
  const routes = [{ from: 'line1', through: [{ plugin: 'rms', config: RMS }, 'block-json'] }];
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) }, routes });
  for (const name of ['rms', 'block-json']) await copyFile(built(name), join(rig.plugins, `${name}.wasm`));
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await seen.atLeast(3);
  assert.equal(seen.last, '{"source":"line1","rate":0,"channels":1,"values":[3.535534]}');
  assert.deepEqual([...seen.topics.keys()], ['line1/1/3/0-3']);
});

for (const build of ['rms', 'rms-scalar']) {
  test(`${build} and a converter in one sandbox: blocks without a whole window give nothing, a flush gives the rest`, async t => {
    const bed = new TestBed();
    t.after(() => bed[Symbol.asyncDispose]());
    const kernel = await bed.chainOf(await readPlugin(built(build)), JSON.stringify({ ...RMS, flush: true }));
    const json = await bed.chainOf(await readPlugin(built('block-json')), '{}');
    const chain = { ...kernel, stages: [...kernel.stages, ...json.stages] };
    const frame = {
      source: 'line1',
      topic: 'line1/1/3/0-3',
      timestamp: 1_700_000_000_000_000_000n,
      properties: [],
    };
    const frames = [[3, 4, 3, 4], [3, 4, 7, 7], [7]].map(registers => ({
      ...frame,
      payload: replyOf(registers),
    }));
    const { outcomes, flushed } = await runFrames(bed.pool, chain, frames);
    const texts = outcomes.map(({ messages }) => messages.map(({ payload }) => payload.toString()));
    assert.deepEqual(texts, [[], ['{"source":"line1","rate":0,"channels":1,"values":[3.535534]}'], []]);
    const [rest] = flushed.flatMap(({ messages }) => messages);
    assert.equal(rest?.topic, 'line1/1/3/0-3');
    assert.match(rest?.payload.toString() ?? '', /"values":\[7\]}$/);
    assert.deepEqual(
      [outcomes[1]?.messages[0]?.contentType, outcomes[1]?.messages[0]?.properties],
      ['application/json', []],
    );
  });
}

test('block-json in front of no kernel refuses the frame and says why', async t => {
  const bed = new TestBed();
  t.after(() => bed[Symbol.asyncDispose]());
  const chain = await bed.chainOf(await readPlugin(built('block-json')), '{}');
  const frame = { source: 'line1', topic: 't', timestamp: 1n, payload: Buffer.alloc(6) };
  const shaped = [
    ['format', 'f32'],
    ['site', 'north'],
    ['rate', 'Infinity'],
  ] as const;
  const { outcomes } = await runFrames(bed.pool, chain, [
    { ...frame, properties: [] },
    { ...frame, properties: shaped },
    { ...frame, payload: Buffer.from('0000c07f', 'hex'), properties: shaped },
  ]);
  assert.equal(outcomes[0]?.fault?.code, 'SLUICE_CONVERT_UNSUPPORTED');
  assert.equal(outcomes[1]?.fault?.code, 'SLUICE_CONVERT_MALFORMED');
  const [message] = outcomes[2]?.messages ?? [];
  assert.equal(message?.payload.toString(), '{"source":"line1","rate":0,"channels":1,"values":[null]}');
  assert.deepEqual(message?.properties, [['site', 'north']]);
});
