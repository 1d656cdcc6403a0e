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
import { type Prepared, quiet } from './stages.js';

/**
 * Tries a stage out on its manifest's test vectors, on instances of its own. Those with the same configuration share
 * one, in their order.
 * @param at told which vector is next, so that a watcher can name the one that hangs
 * @throws SluiceError SLUICE_PLUGIN_SELFTEST, step `vectors`
 */
export function runVectors(
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
export function runShadow(make: () => Chain, frames: readonly FrameCopy[], output: number): void {
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
