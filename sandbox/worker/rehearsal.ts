import {
  Chain,
  compare,
  type Difference,
  type FrameCopy,
  faultOf,
  frameOf,
  type Outcome,
  passInOneBatch,
  runInOneBatch,
  SluiceError,
  showBytes,
  type Vector,
} from '../../runtime/index.js';
import type { FromSandbox, Rehearsal, ToSandbox } from '../messages.js';
import { type Prepared, quiet } from './stages.js';

type Start = Extract<ToSandbox, { kind: 'start' }>;

/**
 * A candidate, before it may serve: on its test vectors, then on frames of just now.
 * @param at told which test is next, 0 for none
 * @throws SluiceError that names the step
 */
export function rehearse(
  { stages, output }: Start,
  rehearsal: Rehearsal,
  prepared: readonly Prepared[],
  post: (message: FromSandbox) => void,
  at: (index: number) => void,
): void {
  const tests = rehearsal.stages.filter(index => (stages[index]?.vectors ?? []).length > 0);
  if (tests.length > 0) post({ kind: 'step', step: 'vectors' });
  for (const index of tests)
    runVectors(prepared[index] as Prepared, stages[index]?.vectors ?? [], output, vector => at(vector + 1));
  if (rehearsal.frames.length > 0) {
    post({ kind: 'step', step: 'shadow' });
    const make = (): Chain => new Chain(prepared.map(stage => stage.make(quiet)));
    runShadow(make, rehearsal.frames, output);
  }
  // What hangs from here on is the start of the instance that is to serve.
  if (tests.length + rehearsal.frames.length > 0) post({ kind: 'step', step: 'start' });
}

/**
 * Tries a stage out on its manifest's test vectors, on instances of its own. Those with the same configuration share
 * one, in their order.
 * @param at told which vector is next, so that a watcher can name the one that hangs
 * @throws SluiceError SLUICE_PLUGIN_SELFTEST, step `vectors`
 */
function runVectors(
  stage: Prepared,
  vectors: readonly Vector[],
  output: number,
  at: (index: number) => void,
): void {
  const groups = Map.groupBy(vectors.entries(), ([, { config }]) => JSON.stringify(config ?? {}));
  for (const [config, group] of groups) {
    let chain: Chain | undefined;
    for (const [index, vector] of group) {
      at(index);
      const actual = outcomeOf(() => {
        chain ??= new Chain([stage.make(quiet, config)]);
        return runInOneBatch(chain, [frameOf(vector)], output)[0] as Outcome;
      });
      const [difference] = compare(vector, actual);
      if (difference !== undefined) throw notAsExpected(stage.plugin, vector, difference);
    }
  }
}

/** A refused configuration is an outcome like any other; what else fails is shown as one, as no vector expects it. */
function outcomeOf(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (thrown) {
    const { code, message } = faultOf(thrown);
    // The plugin's own words, without those around them.
    const text = /refused its configuration: (.*) \(SLUICE_[A-Z_]+\)$/s.exec(message)?.[1] ?? message;
    return { messages: [], fault: { code, text } };
  }
}

function notAsExpected(plugin: string, { name }: Vector, difference: Difference): SluiceError {
  const { what, expected, actual } = difference;
  return new SluiceError(
    'SLUICE_PLUGIN_SELFTEST',
    `${plugin} fails its own test vector "${name}": ${what}: expected ${short(expected)}, got ${short(actual)}`,
    { step: 'vectors', plugin },
  );
}

/**
 * Tries a chain out on frames that the serving generation has converted; what it makes of them is thrown away.
 * @param make makes a fresh chain
 * @throws SluiceError the fault, step `shadow`
 */
function runShadow(make: () => Chain, frames: readonly FrameCopy[], output: number): void {
  try {
    passInOneBatch(make(), frames, output);
  } catch (thrown) {
    throw blameOne(make, frames, output) ?? inShadow(thrown, `the last ${frames.length} frames together`);
  }
}

/** The frame at which it fails. */
function blameOne(make: () => Chain, frames: readonly FrameCopy[], output: number): SluiceError | undefined {
  const chain = make();
  for (const [index, frame] of frames.entries()) {
    try {
      passInOneBatch(chain, [frame], output);
    } catch (thrown) {
      const { source, topic, payload } = frame;
      const bytes = short(showBytes(Buffer.from(payload)));
      const which = `frame ${index + 1} of the last ${frames.length} (${topic} from ${source}: ${bytes})`;
      return inShadow(thrown, which);
    }
  }
  return undefined;
}

function inShadow(thrown: unknown, which: string): SluiceError {
  const { code, message, plugin } = faultOf(thrown);
  return new SluiceError(code, `${message}, tried on ${which}, which the version before converts`, {
    step: 'shadow',
    ...(plugin === undefined ? {} : { plugin }),
  });
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
