import { type FSWatcher, watch } from 'node:fs';

/** The folder is looked at this often even if the system tells of no change (network and some bind mounts). */
const POLL_MS = 2000;

/**
 * Calls back when a folder may have changed: at once on an event of the system, else by polling. Events
 * that come while a look is under way lead to one more look, however many they are. A folder that is
 * away is watched again as soon as it is there.
 */
export class Watcher {
  readonly #folder: string;
  readonly #look: () => Promise<void>;
  #watch: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #pending = false;
  #stopped = false;

  constructor(folder: string, look: () => Promise<void>) {
    this.#folder = folder;
    this.#look = look;
  }

  /** First look, then watches. */
  async start(): Promise<void> {
    this.#open();
    this.#poll = setInterval(() => {
      this.#open();
      this.poke();
    }, POLL_MS);
    this.poke();
    await this.settled();
  }

  /** Something may have changed. */
  poke(): void {
    if (this.#stopped) return;
    this.#pending = true;
    this.#looking ??= this.#run();
  }

  /** Looks again after a while: a file is still being written. */
  pokeIn(ms: number): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.poke(), ms);
  }

  /** All that was poked so far has been looked at. */
  async settled(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#again);
    this.#watch?.close();
    await this.settled();
  }

  async #run(): Promise<void> {
    while (this.#pending) {
      this.#pending = false;
      await this.#look();
    }
    this.#looking = undefined;
  }

  #open(): void {
    if (this.#watch !== undefined || this.#stopped) return;
    try {
      const handle = watch(this.#folder, () => this.poke());
      const drop = (): void => {
        handle.close();
        if (this.#watch === handle) this.#watch = undefined;
      };
      handle.on('error', drop);
      handle.on('close', drop);
      this.#watch = handle;
    } catch {
      // Not there, or a system without events: the poll goes on.
    }
  }
}
