import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../../host/telemetry/metrics.js';

async function lines(metrics: Metrics): Promise<string[]> {
  return (await metrics.render()).split('\n').filter(line => line !== '' && !line.startsWith('#'));
}

test('every counter shows up under its name with its labels', async () => {
  const metrics = new Metrics();
  const source = metrics.source('line1');
  source.frames(256);
  source.frames(1);
  source.delivered(250);
  source.refused('modbus-json', 'SLUICE_CONVERT_MALFORMED', 7);
  source.skipped('SLUICE_SOURCE_OVERRUN');
  source.failed('SLUICE_SOURCE_TIMEOUT');
  const sink = metrics.sink('plant');
  sink.messages(200);
  sink.retried(3);
  sink.dropped('SLUICE_SINK_TOPIC', 2);
  sink.failed('SLUICE_SINK_DISCONNECTED');
  const plugin = metrics.plugin('modbus-json');
  plugin.swapped();
  plugin.faulted('1.0.0', 'SLUICE_GUEST_TRAP');
  plugin.restarted('1.0.0', 'SLUICE_GUEST_TRAP');
  metrics.leaked('sandbox');
  metrics.sandboxes(4);
  metrics.slabsInUse('line1').set(2);
  const shown = await lines(metrics);
  for (const line of [
    'sluice_frames_total{source="line1"} 257',
    'sluice_delivered_total{source="line1"} 250',
    'sluice_frames_refused_total{source="line1",plugin="modbus-json",code="SLUICE_CONVERT_MALFORMED"} 7',
    'sluice_polls_skipped_total{source="line1",code="SLUICE_SOURCE_OVERRUN"} 1',
    'sluice_source_failures_total{source="line1",code="SLUICE_SOURCE_TIMEOUT"} 1',
    'sluice_messages_total{sink="plant"} 200',
    'sluice_messages_retried_total{sink="plant"} 3',
    'sluice_messages_dropped_total{sink="plant",code="SLUICE_SINK_TOPIC"} 2',
    'sluice_sink_failures_total{sink="plant",code="SLUICE_SINK_DISCONNECTED"} 1',
    'sluice_plugin_swaps_total{plugin="modbus-json"} 1',
    'sluice_plugin_faults_total{plugin="modbus-json",version="1.0.0",code="SLUICE_GUEST_TRAP"} 1',
    'sluice_plugin_restarts_total{plugin="modbus-json",version="1.0.0",code="SLUICE_GUEST_TRAP"} 1',
    'sluice_leaks_total{kind="sandbox"} 1',
    'sluice_sandboxes 4',
    'sluice_slabs_in_use{route="line1"} 2',
  ]) {
    assert.ok(shown.includes(line), `${line}\nis not in\n${shown.join('\n')}`);
  }
});

test('a counter does not grow by being scraped, and two holders of one name add to one number', async () => {
  const metrics = new Metrics();
  metrics.source('a').frames(1);
  metrics.source('a').frames(2);
  await metrics.render();
  assert.ok((await lines(metrics)).includes('sluice_frames_total{source="a"} 3'));
});

test('a histogram counts cumulatively, and its last bucket is its count', async () => {
  const metrics = new Metrics();
  const stage = metrics.stage('convert');
  for (const seconds of [0.00001, 0.0003, 0.0003, 99]) stage.observe(seconds);
  const shown = await lines(metrics);
  assert.ok(shown.includes('sluice_stage_seconds_bucket{le="0.00001",stage="convert"} 1'));
  assert.ok(shown.includes('sluice_stage_seconds_bucket{le="0.0005",stage="convert"} 3'));
  assert.ok(shown.includes('sluice_stage_seconds_bucket{le="10",stage="convert"} 3'));
  assert.ok(shown.includes('sluice_stage_seconds_bucket{le="+Inf",stage="convert"} 4'));
  assert.ok(shown.includes('sluice_stage_seconds_count{stage="convert"} 4'));
  const sum = shown.find(line => line.startsWith('sluice_stage_seconds_sum{stage="convert"} '));
  assert.ok(Math.abs(Number(sum?.split(' ')[1]) - 99.00061) < 1e-9, sum);
});

test('the frames of a batch are counted by powers of two', async () => {
  const metrics = new Metrics();
  metrics.plugin('p').batch(64);
  metrics.plugin('p').batch(65);
  const shown = await lines(metrics);
  assert.ok(shown.includes('sluice_batch_frames_bucket{le="64",plugin="p"} 1'));
  assert.ok(shown.includes('sluice_batch_frames_bucket{le="128",plugin="p"} 2'));
});

test('the process tells its memory and processor time, and no metric is outside of sluice_', async () => {
  const metrics = new Metrics();
  const shown = await lines(metrics);
  const value = (name: string) => Number(shown.find(line => line.startsWith(`${name} `))?.split(' ')[1]);
  assert.ok(value('sluice_process_resident_memory_bytes') > 1e6);
  assert.ok(value('sluice_process_cpu_seconds_total') > 0);
  assert.ok(value('sluice_process_start_time_seconds') > 1.7e9);
  assert.deepEqual(
    shown.filter(line => !line.startsWith('sluice_')),
    [],
  );
});
