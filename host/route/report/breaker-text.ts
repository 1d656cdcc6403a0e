import type { BreakerState, Cause, Generation, SlotChange } from '../../../sandbox/index.js';

type Opened = Extract<SlotChange, { kind: 'opened' }>;
type NotClosed = Exclude<BreakerState, { kind: 'closed' }>;

/** Which rule was broken: "5 faults in a row". */
export function ruleOf({ trip }: Cause): string {
  switch (trip.kind) {
    case 'row':
      return `${trip.faults} faults in a row`;
    case 'rate':
      return `${trip.faults} of the last ${trip.frames} frames failed`;
    case 'slow':
      return `${trip.slow} of the last ${trip.batches} batches took most of the time they may take`;
    case 'start':
      return 'it cannot be started';
  }
}

/** What opened, why, what becomes of the frames, and when it is tried again. */
export function openedText(
  { generation, cause, frames, retryMs, again }: Opened,
  openings: number,
  parks: boolean,
): string {
  const who = `${cause.plugin} ${versionOf(generation, cause.plugin)}`;
  const { code, message } = cause.fault;
  const what = again
    ? `${who} was tried again and failed: ${message} (${code})`
    : `${who} is not called any more: ${ruleOf(cause)}, the last: ${message} (${code})`;
  const where = frames === 'spool' && parks ? ON_DISK : FRAMES[frames];
  return `${what}; ${where}; ${nextTry(cause.plugin, retryMs, openings)}`;
}

const FRAMES = {
  fallback: 'the version before serves its frames',
  spool: 'its frames wait, and their sources with them',
  refuse:
    'its frames are refused: senders that can be told have to send them again, the others go into quarantine',
} as const;

const ON_DISK = 'its frames go to the disk, and through it in their order when it serves again';

function nextTry(plugin: string, retryMs: number | undefined, openings: number): string {
  if (retryMs !== undefined) return `the next try is in ${(retryMs / 1000).toFixed(1)} s`;
  return `it opened ${openings} times in ten minutes and is not tried again: put a corrected file into the folder, or POST /v1/plugins/${plugin}/reset`;
}

/** For a status page: why nothing is delivered. */
export function openReason(state: NotClosed): string {
  const { cause } = state;
  const what = state.kind === 'open' ? 'is open' : 'is on trial';
  return `the circuit breaker of ${cause.plugin} ${what}: ${ruleOf(cause)} (${cause.fault.code})`;
}

export function versionOf({ spec }: Generation, plugin: string): string {
  return spec.stages.find(stage => stage.plugin === plugin)?.version ?? '';
}

/** `scale 1.0.0, modbus-json 0.1.0`. */
export function chainText({ spec }: Generation): string {
  return spec.stages.map(({ plugin, version }) => `${plugin} ${version}`).join(', ');
}
