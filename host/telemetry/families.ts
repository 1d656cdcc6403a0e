import type { Registry } from 'prom-client';
import { cellFamily, histogramFamily } from './cells.js';

/** Frames of one batch: powers of two, as batches are adaptive. */
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
/** Seconds, 10 microseconds to 10 seconds. */
const STAGE_BOUNDS = [
  1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5,
  10,
];

export type Families = ReturnType<typeof families>;

/** Every counter of the gateway, in this registry. */
export function families(registry: Registry) {
  const family = <L extends string>(name: string, help: string, ...labels: L[]) =>
    cellFamily({ name: `sluice_${name}`, help, labels, registry });
  const histogram = <L extends string>(
    name: string,
    help: string,
    bounds: readonly number[],
    ...labels: L[]
  ) => histogramFamily({ name: `sluice_${name}`, help, bounds, labels, registry });
  return {
    frames: family('frames_total', 'Frames taken from a source.', 'source'),
    delivered: family('delivered_total', 'Frames that every sink has confirmed or spooled.', 'source'),
    refused: family('frames_refused_total', 'Frames that gave an error.', 'source', 'plugin', 'code'),
    skipped: family(
      'polls_skipped_total',
      'Polls that were left out; of sources that listen: frames or requests that were not taken, or had to wait.',
      'source',
      'code',
    ),
    sourceAge: family(
      'source_age_seconds',
      'Since a source brought data last, or since its start.',
      'source',
    ),
    staleDevices: family(
      'source_devices_stale',
      'Devices of a source that is asked that have brought no data for longer than staleAfter.',
      'source',
    ),
    sourceFailures: family('source_failures_total', 'Failures at a source.', 'source', 'code'),
    messages: family('messages_total', 'Messages that a sink has confirmed.', 'sink'),
    dropped: family('messages_dropped_total', 'Messages given up for good.', 'sink', 'code'),
    retried: family('messages_retried_total', 'Messages sent again after a lost connection.', 'sink'),
    sinkFailures: family('sink_failures_total', 'Failures at a sink.', 'sink', 'code'),
    faults: family('plugin_faults_total', 'Faults of a plugin.', 'plugin', 'version', 'code'),
    restarts: family('plugin_restarts_total', 'Fresh instances after a fault.', 'plugin', 'version', 'code'),
    retries: family(
      'frames_retried_total',
      'Frames of calls that failed, run again one by one.',
      'plugin',
      'code',
    ),
    silent: family('frames_silent_total', 'Frames that gave no message and no error.', 'route'),
    logLines: family('plugin_log_lines_total', 'Lines that a plugin has logged.', 'plugin'),
    logLost: family('plugin_log_lines_left_out_total', 'Lines beyond what a plugin may log.', 'plugin'),
    swaps: family('plugin_swaps_total', 'New generations that took over.', 'plugin'),
    states: family(
      'plugin_states_total',
      'Fresh instances of plugins that have a state, by what they go on from.',
      'plugin',
      'version',
      'from',
    ),
    slowBatches: family('batches_slow_total', 'Batches that took most of the time they may take.', 'plugin'),
    rollbacks: family(
      'plugin_rollbacks_total',
      'Versions taken back by themselves.',
      'plugin',
      'version',
      'code',
    ),
    breakers: family('breaker_state', '0: closed, 1: on trial, 2: open.', 'plugin', 'route'),
    openings: family('breaker_openings_total', 'Times that a circuit breaker opened.', 'plugin', 'route'),
    filesRefused: family('plugin_files_refused_total', 'Plugin files that could not be used.', 'code'),
    sandboxes: family('sandboxes', 'Sandbox threads that run.'),
    batchLimit: family(
      'batch_limit_frames',
      'Most frames of the next batch of a route: falls as its plugins take longer.',
      'route',
    ),
    memory: family('guest_memory_bytes', 'Linear memory of the plugins of a route.', 'route'),
    leaks: family('leaks_total', 'Things that were never closed, and were found by the second net.', 'kind'),
    slabs: family('slabs_in_use', 'Slabs of a route that hold frames or results.', 'route'),
    httpRefused: family(
      'http_refused_total',
      'HTTP messages about plugins that the policy did not let through.',
      'direction',
      'code',
    ),
    brokerRefused: family(
      'broker_refused_total',
      'Clients that the embedded broker turned away, cut off, (rate) read later, or (full) not told of a message.',
      'reason',
    ),
    adminRefused: family(
      'admin_connections_refused_total',
      'Connections that the admin server closed because as many as it takes were open.',
    ),
    policy: family('policy_version', 'Version of the policy that is in force.'),
    eventsDropped: family('event_clients_dropped_total', 'Event streams closed because nobody read them.'),
    quarantined: family(
      'frames_quarantined_total',
      'Frames that a plugin failed on twice, kept for replay.',
      'source',
      'plugin',
      'code',
    ),
    quarantine: family('quarantine_frames', 'Frames in quarantine.'),
    quarantineDropped: family(
      'quarantine_dropped_total',
      'Frames that left the quarantine for another reason than a replay.',
      'code',
    ),
    replayed: family(
      'quarantine_replayed_total',
      'Frames of the quarantine that were sent through their route again.',
      'outcome',
    ),
    batches: histogram('batch_frames', 'Frames of one batch.', BATCH_BOUNDS, 'plugin'),
    stages: histogram('stage_seconds', 'Time spent in a stage of the path.', STAGE_BOUNDS, 'stage'),
  };
}
