import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';

/** The folder is looked at this often even if the system tells of no change (network and some bind mounts). */
const POLL_MS = 2000;

/**
 * Calls back when a folder may have changed: at once on an event of the system, else by polling. Events
 * that come while a look is under way lead to one more look, however many they are. A folder that was away
 * or replaced is watched again as soon as a poll finds it.
 */
export class Watcher {
  readonly #folder: string;
  readonly #look: () => Promise<void>;
  #watch: FSWatcher | undefined;
  /** Device and inode of the folder that is watched. */
  #watched = '';
  #poll: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #pending = false;
  #stopped = false;

  /** @param look must not reject */
  constructor(folder: string, look: () => Promise<void>) {
    this.#folder = folder;
    this.#look = look;
  }

  /** First look, then watches. */
  async start(): Promise<void> {
    await this.#follow();
    if (this.#stopped) return;
    this.#poll = setInterval(() => {
      void this.#follow();
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
    if (!this.#stopped) this.#again = setTimeout(() => this.poke(), ms);
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
    while (this.#pending && !this.#stopped) {
      this.#pending = false;
      await this.#look();
    }
    this.#looking = undefined;
  }

  /** Watches the folder that now has this name. Of one that was removed the system tells nothing more. */
  async #follow(): Promise<void> {
    const found = await stat(this.#folder).catch(() => undefined);
    const id = found === undefined ? '' : `${found.dev}/${found.ino}`;
    if (this.#stopped || (id === this.#watched && this.#watch !== undefined)) return;
    this.#watch?.close();
    this.#watch = undefined;
    this.#watched = id;
    if (id === '') return;
    try {
      const handle = watch(this.#folder, () => this.poke());
      handle.on('error', () => {
        handle.close();
        if (this.#watch === handle) this.#watch = undefined;
      });
      this.#watch = handle;
      // What came between the last look and the watch.
      this.poke();
    } catch {
      // A system without events, or out of watches: the poll goes on.
    }
  }
}
