import { type ErrorCode, type Fault, faultOf, type SavedState, type Stage } from '../../runtime/index.js';
import type { ChainState, Keeping, Restored, StageState } from '../messages.js';

/** What the stages of one chain are to go on from: the newest state of each that they have not refused. */
export class Memory {
  /** Of each stage, newest first. */
  readonly #choices: StageState[][];
  readonly #told: (restored: Restored) => void;
  #every = 0;
  #since = 0;
  #generation = 0;
  #isFirst = true;
  #off = false;

  constructor(stages: number, told: (restored: Restored) => void) {
    this.#choices = Array.from({ length: stages }, () => []);
    this.#told = told;
  }

  /** From here on this chain serves. */
  begin({ generation, states, every, exports, isFirst }: Keeping): void {
    this.#generation = generation;
    this.#every = every;
    this.#off = !exports;
    this.#isFirst = isFirst;
    for (const [index, choices] of this.#choices.entries())
      choices.push(...states.flatMap(state => state[index] ?? []));
  }

  get generation(): number {
    return this.#generation;
  }

  /** Counts a batch. True: a snapshot is to be taken behind it. */
  get isDue(): boolean {
    if (this.#every === 0 || this.#off || ++this.#since < this.#every) return false;
    this.#since = 0;
    return true;
  }

  /** States are taken at all. */
  get isOn(): boolean {
    return !this.#off;
  }

  /** Nothing is exported any more: a guest has failed over it. */
  stop(): void {
    this.#off = true;
  }

  /** @param sequence of the slab that the state stands before @throws SluiceError a guest fault */
  take(stages: readonly Stage[], sequence: number, at: (stage: number) => void): ChainState {
    return stages.map(({ instance }, index) => {
      if (!instance.isStateful) return undefined;
      at(index);
      const state: SavedState = instance.exportState();
      at(-1);
      const taken = { ...state, generation: this.#generation, sequence };
      this.#choices[index] = [taken];
      return taken;
    });
  }

  /**
   * Gives a fresh instance the newest state that it takes, and tells of it.
   * @param sequence of the slab that comes next
   * @param importing makes the call, watched
   * @param make makes another, in place of one that has refused
   */
  give(
    stage: Stage,
    index: number,
    sequence: number,
    importing: (call: () => void) => void,
    make: () => Stage,
  ): Stage {
    if (!stage.instance.isStateful) return stage;
    const choices = this.#choices[index] as StageState[];
    let fresh = stage;
    let refused: Fault | undefined;
    for (let state = choices[0]; state !== undefined; state = choices[0]) {
      const given = state;
      const { instance } = fresh;
      const { generation, version, bytes } = state;
      const from = { generation, version, bytes: bytes.length, behind: (sequence - state.sequence) | 0 };
      try {
        importing(() => instance.importState(given));
        this.#told({ stage: index, from, refused });
        return fresh;
      } catch (thrown) {
        refused = withForm(faultOf(thrown), state);
        choices.shift();
        fresh = make();
      }
    }
    if (!this.#isFirst || refused !== undefined) this.#told({ stage: index, from: undefined, refused });
    return fresh;
  }

  /** What is made from now on follows another. */
  serves(): void {
    this.#isFirst = false;
  }
}

function withForm({ message, ...fault }: Fault, { version, bytes }: StageState): Fault {
  const code: ErrorCode = 'SLUICE_STATE_REFUSED';
  return { ...fault, code, message: `${message} (its form is version ${version}, ${bytes.length} bytes)` };
}
