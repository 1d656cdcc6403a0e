import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IncomingMessage, request } from 'coap';
import fc from 'fast-check';
import { startPlc } from '../../../host/demo/plc.js';
import { BLOCK, startPump } from '../../../host/demo/pump.js';
import { anyText } from '../../support/fuzz/any-text.js';

const pump = await startPump('pump1/vibration');
const plc = await startPlc('line1', [1, 2]);
test.after(() => Promise.all([pump.stop(), plc.stop()]));

function get(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ hostname: '127.0.0.1', port: pump.port, pathname: '/vibration' })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}

test('the vibration sensor gives a block of two channels for each GET, the second a counter of blocks', async () => {
  for (const sequence of [1, 2]) {
    const { payload, headers } = await get();
    assert.equal(headers['Content-Format'], 'application/octet-stream');
    assert.equal(payload.length, BLOCK * 8);
    for (let at = 4; at < payload.length; at += 8) assert.equal(payload.readFloatLE(at), sequence);
    assert.ok(Math.abs(payload.readFloatLE(0)) <= 1);
    assert.equal(pump.sent.sequenceOf('pump1/vibration'), sequence);
    assert.ok(pump.sent.sentAt('pump1/vibration', sequence)! <= performance.now());
  }
  assert.equal(pump.sent.sentAt('pump1/vibration', 3), undefined);
});

test('what the kernel made of a block is read with its sequence and in words', () => {
  const message = '{"source":"pump1","rate":10,"channels":6,"values":[0.354,0.75,-0.7,7,7,7]}';
  assert.deepEqual(pump.read(message), { sequence: 7, words: 'sequence 7  rms 0.35 g  peak 0.75 g' });
});

test('the message of a PLC is read with its sequence and in words', () => {
  const message = '{"points":[{"name":"sequence","value":4},{"name":"t","value":21.46,"unit":"°C"}]}';
  assert.deepEqual(plc.read(message), { sequence: 4, words: 'sequence 4  t 21.5 °C' });
});

test('a message of another plugin is not read, and nothing is thrown', () => {
  for (const device of [plc, pump]) {
    for (const message of ['', '{oops', '3', 'null', '{}', '{"points":3,"values":3}'])
      assert.equal(device.read(message), undefined, message);
    fc.assert(fc.property(fc.oneof(anyText(), fc.json()), message => void device.read(message)));
    const odd = fc.record({ points: fc.array(fc.jsonValue()), values: fc.array(fc.jsonValue()) });
    fc.assert(fc.property(odd, message => void device.read(JSON.stringify(message))));
  }
});
