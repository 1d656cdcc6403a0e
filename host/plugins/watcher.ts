import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * The folder itself is asked this often whether it has changed, even if the system tells of nothing (network and some
 * bind mounts); and all that is in it at every so many of these polls, where the system does tell: a look at everything is
 * most of what a gateway without traffic does.
 */
const POLL_MS = 2000;
const POLLS_TO_LOOK = 5;

/** Between two looks that events lead to: this long, and at least so many times what the last look took. */
const GAP_MS = 10;
const GAP_FACTOR = 4;

/**
 * Calls back when a folder may have changed: at once on an event of the system, else by polling. Events
 * that come during a look and shortly after it lead to one more look, however many they are: looking takes
 * at most a fifth of the time. A folder that was away or replaced is watched again as soon as a poll finds it.
 */
export class Watcher {
  readonly #folder: string;
  readonly #look: () => Promise<void>;
  #watch: FSWatcher | undefined;
  /** Device and inode of the folder that is watched. */
  #watched = '';
  /** When it was changed last, as it says itself. */
  #changedMs = 0;
  #polls = 0;
  #poll: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  /** When the last look ended, and what it took. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  /** Nothing is looked at while this is not 0. */
  #held = 0;
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
    this.#poll = setInterval(() => void this.#ask(), POLL_MS);
    this.poke();
    await this.settled();
  }

  /** Something may have changed. */
  poke(): void {
    if (this.#stopped) return;
    this.#pending = true;
    if (this.#held === 0) this.#looking ??= this.#run();
  }

  /** Looks again after a while: a file is still being written. */
  pokeIn(ms: number): void {
    clearTimeout(this.#again);
    if (!this.#stopped) this.#again = setTimeout(() => this.poke(), ms);
  }

  /** Nothing is looked at while `work` lasts; then it is. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      await this.#looking;
      return await work();
    } finally {
      this.#held--;
      this.poke();
    }
  }

  /** All that was poked so far has been looked at. */
  async settled(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#again);
    clearTimeout(this.#soon);
    this.#watch?.close();
    await this.settled();
  }

  async #run(): Promise<void> {
    while (this.#pending && !this.#stopped && this.#held === 0) {
      this.#pending = false;
      const began = performance.now();
      await this.#look();
      this.#lookedAt = performance.now();
      this.#tookMs = this.#lookedAt - began;
    }
    this.#looking = undefined;
  }

  /** An event: a look now, or as soon as the gap behind the last one is over. */
  #event(): void {
    if (this.#stopped || this.#soon !== undefined) return;
    const since = this.#looking === undefined ? performance.now() - this.#lookedAt : 0;
    const wait = Math.max(GAP_MS, GAP_FACTOR * this.#tookMs) - since;
    if (wait <= 0) {
      this.poke();
      return;
    }
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.poke();
    }, wait);
  }

  async #ask(): Promise<void> {
    const changed = await this.#follow();
    const isDue = ++this.#polls % POLLS_TO_LOOK === 0;
    const isUnwatched = this.#watch === undefined && this.#watched !== '';
    if (changed || isDue || isUnwatched) this.poke();
  }

  /**
   * Watches the folder that now has this name. Of one that was removed the system tells nothing more.
   * @returns whether names in it were changed, or it is another one
   */
  async #follow(): Promise<boolean> {
    const found = await stat(this.#folder).catch(() => undefined);
    const id = found === undefined ? '' : `${found.dev}/${found.ino}`;
    const changedMs = found?.ctimeMs ?? 0;
    const changed = id !== this.#watched || changedMs !== this.#changedMs;
    this.#changedMs = changedMs;
    if (!this.#stopped && (id !== this.#watched || this.#watch === undefined)) this.#watchAnew(id);
    return changed;
  }

  #watchAnew(id: string): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#watched = id;
    if (id === '') return;
    try {
      const handle = watch(this.#folder, () => this.#event());
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
