import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { faultOf, type PolicyContent, SluiceError } from '../../runtime/index.js';
import { readPolicy } from '../config/load-policy.js';
import { readText } from '../config/read-text.js';
import { Watcher } from '../plugins/watcher.js';

/** A file that cannot be used may be in the midst of being written: it is refused when it has been so for this long. */
const PATIENCE_MS = 500;
const AGAIN_MS = 100;

export interface PolicyFileEvents {
  changed(content: PolicyContent): void;
  /** Told once for each state of the file. */
  refused(error: SluiceError): void;
}

/** The file of a policy: watched like the plugin folder, and written in one step. */
export class PolicyFile {
  readonly path: string;
  readonly #events: PolicyFileEvents;
  readonly #watcher: Watcher;
  /** What was dealt with last: the text, or why there is none. */
  #seen: string;
  #unusable: { readonly state: string; readonly since: number } | undefined;

  /** @param known what was read when the configuration was */
  constructor(known: { readonly path: string; readonly text: string }, events: PolicyFileEvents) {
    this.path = known.path;
    this.#seen = known.text;
    this.#events = events;
    this.#watcher = new Watcher(dirname(known.path), () => this.#look());
  }

  start(): Promise<void> {
    return this.#watcher.start();
  }

  stop(): Promise<void> {
    return this.#watcher.stop();
  }

  /**
   * Replaces the file, links followed, and takes it up.
   * @throws SluiceError SLUICE_POLICY_INVALID with every problem, SLUICE_ADMIN_STORE
   */
  async write(text: string): Promise<void> {
    this.#read(text);
    await this.#watcher.without(() => this.#replace(text));
    await this.#watcher.settled();
  }

  async #look(): Promise<void> {
    let state: string;
    let text: string | undefined;
    let error: SluiceError;
    try {
      text = await readText(this.path);
      state = text;
      if (state === this.#seen) return this.#usable();
      const content = this.#read(text);
      this.#seen = state;
      this.#usable();
      this.#events.changed(content);
      return;
    } catch (thrown) {
      error = thrown instanceof SluiceError ? thrown : new SluiceError('SLUICE_INTERNAL', String(thrown));
      state = text ?? error.message;
    }
    if (state === this.#seen) return;
    const now = performance.now();
    if (this.#unusable?.state !== state) this.#unusable = { state, since: now };
    if (now - this.#unusable.since < PATIENCE_MS) {
      this.#watcher.pokeIn(AGAIN_MS);
      return;
    }
    this.#seen = state;
    this.#events.refused(asRefusal(error));
  }

  #usable(): void {
    this.#unusable = undefined;
  }

  #read(text: string): PolicyContent {
    try {
      return readPolicy(text, this.path);
    } catch (thrown) {
      throw asRefusal(thrown);
    }
  }

  async #replace(text: string): Promise<void> {
    let temporary: string | undefined;
    try {
      const target = await realpath(this.path);
      const { mode } = await stat(target);
      temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
      {
        await using handle = await open(temporary, 'wx', mode & 0o777);
        await handle.writeFile(text);
        await handle.sync();
      }
      await rename(temporary, target);
    } catch (thrown) {
      // What failed is said in any case.
      if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
      const { message } = thrown as Error;
      throw new SluiceError('SLUICE_ADMIN_STORE', `the policy cannot be written: ${message}`, {
        cause: thrown,
      });
    }
  }
}

function asRefusal(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError && thrown.code === 'SLUICE_POLICY_INVALID') return thrown;
  return new SluiceError('SLUICE_POLICY_INVALID', faultOf(thrown).message, { cause: thrown });
}
