import assert from 'node:assert/strict';
import { Ends } from '../ends/ends.js';
import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';
import { DEVICES, type Kind, type Run, run, UNITS } from './run.js';

const FULL = { rounds: 5, runMs: 2500, probeMs: 1500 };
/** With `--short`. */
const SHORT = { rounds: 1, runMs: 500, probeMs: 300 };
/** Of what goes through at most: near it, with some room for what a shared machine does. */
const LOAD = 0.65;
/** Rates that lie further apart than this are not the same work any more. */
const APART = 0.05;
const KINDS: readonly Kind[] = ['sandboxed', 'inlined'];

/**
 * What a sandbox costs a gateway: poll, convert, publish with one, against the same work inlined in the
 * host's thread. Devices and broker are other processes, and all messages have to arrive there.
 */
export async function sandboxTax(short: boolean): Promise<BenchResult> {
  const { rounds, runMs, probeMs } = short ? SHORT : FULL;
  const ends = await Ends.start();
  try {
    const everyMs = await choosePeriod(ends, probeMs);
    const runs: Record<Kind, Run[]> = { sandboxed: [], inlined: [] };
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      // The one that comes second profits from warm code; so they take turns.
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed())
        runs[kind].push(await run(kind, ends, everyMs, runMs));
    }
    check(runs);
    return result(runs, everyMs);
  } finally {
    await ends.stop();
  }
}

/** The period at which this machine is well used by either kind: found with polls that are due all the time. */
async function choosePeriod(ends: Ends, probeMs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const kind of KINDS) {
    const { rate } = await run(kind, ends, 1, probeMs);
    progress(`${kind}: ${rate.toFixed(0)} messages/s at most`);
    least = Math.min(least, rate);
  }
  return rounded((DEVICES * UNITS * 1000) / (least * LOAD));
}

/** @throws AssertionError a message is missing, came twice, or is another one */
function check(runs: Readonly<Record<Kind, readonly Run[]>>): void {
  const contents = runs.inlined[0]?.arrived.contents;
  for (const kind of KINDS) {
    for (const { arrived, frames } of runs[kind]) {
      assert.equal(arrived.published, frames, `${kind}: the broker counts other than was polled`);
      assert.equal(arrived.distinct, DEVICES * UNITS, `${kind}: there are other messages than units`);
      assert.equal(arrived.contents, contents, `${kind}: the messages are not those of the other`);
    }
  }
}

function result(runs: Readonly<Record<Kind, readonly Run[]>>, everyMs: number): BenchResult {
  const of = (kind: Kind, field: 'cpu' | 'rate' | 'busy'): number =>
    median(runs[kind].map(each => each[field]));
  const each = <T>(value: (kind: Kind) => T): Record<string, T> =>
    Object.fromEntries(KINDS.map(kind => [kind, value(kind)]));
  const comparable = Math.abs(of('sandboxed', 'rate') / of('inlined', 'rate') - 1) < APART;
  if (!comparable) progress('polls were missed, and not alike: the machine has something else to do');
  const rows = KINDS.map(kind => [
    kind,
    `${of(kind, 'cpu').toFixed(2)} us`,
    of(kind, 'rate').toFixed(0),
    `${(of(kind, 'busy') * 100).toFixed(0)} %`,
    String(runs[kind].reduce((sum, { missed }) => sum + missed, 0)),
  ]);
  return {
    ratios: { 'sandboxed/inlined': rounded(of('sandboxed', 'cpu') / of('inlined', 'cpu')) },
    targets: { 'sandboxed/inlined': { atMost: 1.15 } },
    figures: {
      comparable,
      cpuMicrosecondsPerMessage: each(kind => rounded(of(kind, 'cpu'))),
      messagesPerSecond: each(kind => rounded(of(kind, 'rate'))),
      hostThreadBusy: each(kind => rounded(of(kind, 'busy'))),
      pollsMissed: each(kind => runs[kind].reduce((sum, { missed }) => sum + missed, 0)),
      messages: each(kind => runs[kind].reduce((sum, { frames }) => sum + frames, 0)),
      rounds: each(kind => runs[kind].map(({ cpu }) => rounded(cpu))),
      plan: { devices: DEVICES, units: UNITS, registers: 12, everyMs, qos: 1 },
    },
    tables: [
      { head: ['poll, convert, publish', 'cpu a message', 'messages/s', 'host thread', 'missed'], rows },
    ],
  };
}
