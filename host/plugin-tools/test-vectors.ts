import {
  compare,
  type Difference,
  frameOf,
  type Outcome,
  SluiceError,
  type Vector,
} from '../../runtime/index.js';
import type { PluginFile } from './plugin-file.js';
import { runFrames } from './run-frames.js';
import { TestBed } from './test-bed.js';

export interface Verdict {
  readonly name: string;
  /** Empty: as the vector says. */
  readonly differences: readonly Difference[];
}

export interface VectorReport {
  /** One a vector, in their order. */
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

/**
 * Runs vectors through a plugin in real sandboxes. Those with the same configuration share an instance, in their order.
 * @throws SluiceError when the plugin does not start; a refused configuration is the outcome of its vectors instead
 */
export async function testVectors(plugin: PluginFile, vectors: readonly Vector[]): Promise<VectorReport> {
  await using bed = new TestBed();
  const verdicts: Verdict[] = [];
  const notes: string[] = [];
  const groups = Map.groupBy(vectors.entries(), ([, vector]) => JSON.stringify(vector.config ?? {}));
  for (const [config, group] of groups) {
    const chain = await bed.chainOf(plugin, config);
    const outcomes = await outcomesOf(
      () =>
        runFrames(
          bed.pool,
          chain,
          group.map(([, vector]) => frameOf(vector)),
        ),
      notes,
    );
    for (const [place, [index, vector]] of group.entries()) {
      const outcome = Array.isArray(outcomes) ? (outcomes[place] as Outcome) : outcomes;
      verdicts[index] = { name: vector.name, differences: compare(vector, outcome as Outcome) };
    }
  }
  return { verdicts, notes };
}

/** The outcomes of a run, or the one outcome that all vectors have when their configuration is refused. */
async function outcomesOf(
  run: () => ReturnType<typeof runFrames>,
  notes: string[],
): Promise<readonly Outcome[] | Outcome> {
  try {
    const result = await run();
    notes.push(...result.notes);
    return result.outcomes;
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_GUEST_CONFIG') throw thrown;
    // The plugin's own words, without those around them.
    const text =
      /refused its configuration: (.*) \(SLUICE_[A-Z_]+\)$/s.exec(thrown.message)?.[1] ?? thrown.message;
    return { messages: [], fault: { code: thrown.code, text } };
  }
}
