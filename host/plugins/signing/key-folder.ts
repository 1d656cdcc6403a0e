import { join } from 'node:path';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import { Watcher } from '../watcher.js';
import { type KeyProblem, type KeyRing, readKeyRing } from './key-ring.js';

/** A file that is being copied is no problem yet. */
const AGAIN_MS = 200;

/** Before the folder could be read: nobody is trusted, and signatures may well be in use. */
const CLOSED: KeyRing = { trusted: new Map(), revoked: new Map(), inUse: true, problems: [] };

export interface KeyFolderEvents {
  /** Other keys are trusted or revoked than before. */
  changed(): void;
  /** A file of the folder, or the folder, cannot be used. Told once for each reason. */
  problem(file: string, error: SluiceError): void;
}

/** The trusted keys as they are now. If the folder cannot be read, those from before go on to count. */
export class KeyFolder {
  readonly #folder: string;
  readonly #events: KeyFolderEvents;
  /** The folder, and the one of revoked keys in it. */
  readonly #watchers: readonly Watcher[];
  #ring = CLOSED;
  #print = '';
  /** Problems of the last look, by what they say; true: they were told. */
  #problems = new Map<string, boolean>();

  constructor(folder: string, events: KeyFolderEvents) {
    this.#folder = folder;
    this.#events = events;
    const look = () => this.#look();
    this.#watchers = [new Watcher(folder, look), new Watcher(join(folder, 'revoked'), look)];
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** First look, then watches. */
  async start(): Promise<void> {
    for (const watcher of this.#watchers) await watcher.start();
  }

  async stop(): Promise<void> {
    for (const watcher of this.#watchers) await watcher.stop();
  }

  async #look(): Promise<void> {
    const folder = this.#folder;
    try {
      const ring = await readKeyRing(folder);
      const print = printOf(ring);
      this.#ring = ring;
      if (print !== this.#print) {
        this.#print = print;
        this.#events.changed();
      }
      this.#tell(ring.problems);
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      this.#tell([{ file: folder, error: new SluiceError(code, message, { cause: thrown }) }]);
    }
  }

  /** What is still so at the next look is told. */
  #tell(problems: readonly KeyProblem[]): void {
    const before = this.#problems;
    this.#problems = new Map();
    for (const { file, error } of problems) {
      const told = before.get(error.message);
      this.#problems.set(error.message, told !== undefined);
      if (told === false) this.#events.problem(file, error);
      if (told === undefined) this.#watchers[0]?.pokeIn(AGAIN_MS);
    }
  }
}

function printOf({ trusted, revoked, inUse }: KeyRing): string {
  return JSON.stringify([[...trusted.keys()].sort(), [...revoked.keys()].sort(), inUse]);
}
