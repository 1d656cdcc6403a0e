import { HEADER, type SavedState } from '../../runtime/index.js';
import type { ChainSpec, Generation } from '../generation/generation.js';
import type { ChainState, FromSandbox } from '../messages.js';
import type { Candidate } from '../pool/candidate.js';
import type { Ring } from '../ring/ring.js';

/** What one stage of a route remembered, for a gateway that is started again. */
export interface KeptState extends SavedState {
  /** Name of its plugin, and which one of that name it is in the chain. */
  readonly place: string;
}

type Snapshot = Extract<FromSandbox, { kind: 'state' }>;

/** Snapshots of one generation that are kept: the last can belong to a batch that is never committed. */
const KEPT = 2;

/** The last states of the generations of a slot, as their threads have sent them. */
export class StateKeeper {
  readonly #ring: Ring;
  /** Of a gateway that ran before: those of plugins that have not been here yet, or had no state then. */
  #before: readonly KeptState[] = [];
  /** Newest first. */
  readonly #snapshots = new Map<number, Snapshot[]>();

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  put(snapshot: Snapshot): void {
    const before = this.#snapshots.get(snapshot.generation) ?? [];
    this.#snapshots.set(snapshot.generation, [snapshot, ...before].slice(0, KEPT));
  }

  /** What a first chain goes on from. */
  remember(states: readonly KeptState[]): void {
    this.#before = states;
  }

  /**
   * A chain's states for those who are to remember it longer than this process, with those of plugins that are not in it
   * now, or have no state just now: they may be again.
   */
  kept(states: ChainState, { spec }: Generation): KeptState[] {
    const own = placesOf(spec.stages).flatMap((place, index) => {
      const state = states[index];
      return state === undefined ? [] : [{ place, version: state.version, bytes: state.bytes }];
    });
    return [...own, ...this.#before];
  }

  /** Last slab that is counted in what these generations have left, whoever of them goes first. */
  reachOf(generations: readonly Generation[]): number {
    let reach = this.#ring.committed - 1;
    for (const { number } of generations) {
      const newest = this.#newest(number);
      if (newest !== undefined && ((upToOf(newest) - reach) | 0) > 0) reach = upToOf(newest);
    }
    return reach;
  }

  /** Generations that nobody goes back to. */
  forgetAllBut(generations: readonly (Generation | undefined)[]): void {
    const numbers = new Set(generations.map(generation => generation?.number));
    for (const number of this.#snapshots.keys()) if (!numbers.has(number)) this.#snapshots.delete(number);
  }

  /** What a generation has left is not to be tried again. */
  drop({ number }: Generation): void {
    this.#snapshots.delete(number);
  }

  /**
   * What a fresh chain may go on from, stage by stage of its own; a stage takes what one of the same plugin has left.
   * @param from whose states, first choice first
   * @param isFirst nobody has served before: it goes on from what another gateway has left
   */
  choices(to: Generation, from: readonly Generation[], isFirst = false): ChainState[] {
    const places = placesOf(to.spec.stages);
    const choices = [...new Set(from)].flatMap(generation => {
      const states = this.#newest(generation.number)?.states;
      if (states === undefined) return [];
      const had = placesOf(generation.spec.stages);
      return [places.map(place => states[had.indexOf(place)])];
    });
    // Nobody to go on from, though others served: it is to begin without.
    const before = isFirst || from.length > 0 ? this.#fromBefore(to, places) : [];
    if (before.some(state => state !== undefined)) {
      const first = choices.shift() ?? [];
      choices.unshift(places.map((_, index) => first[index] ?? before[index]));
    }
    this.#handed(to, choices[0]);
    return choices;
  }

  /** Until it has sent a state of its own it is taken back to this one. */
  #handed({ number }: Generation, states: ChainState | undefined): void {
    if (states === undefined || this.#snapshots.has(number)) return;
    this.put({ kind: 'state', generation: number, sequence: this.#ring.committed, progress: 0, states });
  }

  #fromBefore({ stateful }: Generation, places: readonly string[]): ChainState {
    const sequence = this.#ring.committed;
    return places.map((place, index) => {
      const found = stateful[index] === true ? this.#before.find(state => state.place === place) : undefined;
      if (found === undefined) return undefined;
      // It is this chain's from here on, whatever that makes of it.
      this.#before = this.#before.filter(state => state !== found);
      return { version: found.version, bytes: found.bytes, generation: 0, sequence };
    });
  }

  /** Of a batch that was committed, or of a frame whose outcome is final. */
  #newest(generation: number): Snapshot | undefined {
    const known = this.#snapshots.get(generation)?.filter(snapshot => this.#holds(snapshot));
    if (known !== undefined) this.#snapshots.set(generation, known);
    return known?.[0];
  }

  #holds({ sequence, progress }: Snapshot): boolean {
    const behind = (this.#ring.committed - sequence) | 0;
    if (behind !== 0) return behind > 0;
    if (progress === 0) return true;
    return progress <= (this.#ring.control[this.#ring.headerOf(sequence) + HEADER.progress] as number);
  }
}

/** Last slab of which frames are counted in a snapshot. */
export function upToOf({ sequence, progress }: Snapshot): number {
  return progress > 0 ? sequence : (sequence - 1) | 0;
}

/** Bit k: stage k of the old chain has a state, and a stage of the new one that can take it. */
export function handedOver(old: Generation, next: Candidate, { stages }: ChainSpec): number {
  if (old.spec.stages.length > 31) return 0;
  const places = placesOf(stages);
  const keeps = placesOf(old.spec.stages).map((place, k) => {
    const takes = next.stateful[places.indexOf(place)] === true;
    return takes && old.stateful[k] === true ? 1 << k : 0;
  });
  return keeps.reduce((mask, bit) => mask | bit, 0);
}

/** A name for each stage: its plugin's, and which one of that name it is. */
function placesOf(stages: ChainSpec['stages']): string[] {
  const seen = new Map<string, number>();
  return stages.map(({ plugin }) => {
    const count = (seen.get(plugin) ?? 0) + 1;
    seen.set(plugin, count);
    return `${plugin} ${count}`;
  });
}
