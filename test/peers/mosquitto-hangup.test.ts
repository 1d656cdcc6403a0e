import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttSink } from '../../host/sinks/mqtt/mqtt-sink.js';
import { tempFolder } from '../support/gateway/gateway-rig.js';
import { NOW, numbered, Recorder, writeAll } from '../support/mqtt/mqtt-recorder.js';
import { QUICK } from '../support/mqtt/mqtt-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';

for (const version of [4, 5] as const) {
  test(`a topic for which mosquitto hangs up costs that message alone, and the others arrive in order (MQTT ${version === 4 ? '3.1.1' : '5.0'})`, async t => {
    const broker = await Mosquitto.start(await tempFolder(t));
    t.after(() => broker.stop());
    const witness = await MosquittoSub.start(broker.port, 't/#');
    t.after(() => witness.stop());
    const seen = new Recorder();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const sink = new MqttSink('plant', { url, version, reconnect: QUICK }, seen);
    t.after(() => sink.stop(NOW));
    await sink.start();
    // mosquitto takes topics of up to 200 levels.
    const deep = { topic: `t/${'a/'.repeat(250)}`, payload: 'deep', qos: 1 };
    const first = numbered(50);
    const rest = numbered(100).slice(50);
    await writeAll(sink, seen, [...first, deep, ...rest]);
    await seen.settled(101);
    assert.deepEqual([seen.confirmed, seen.codes], [100, ['SLUICE_SINK_HANGUP']]);
    await witness.until('the last one', messages => messages.some(({ payload }) => String(payload) === '99'));
    assert.deepEqual(
      [...new Set(witness.texts)],
      [...first, ...rest].map(({ payload }) => payload),
    );
  });
}
