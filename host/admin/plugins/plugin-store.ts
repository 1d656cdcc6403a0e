import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, SluiceError } from '../../../runtime/index.js';
import { signaturesOf } from '../../plugins/folder.js';
import type { Offer } from '../../plugins/offer.js';
import { readSignatures } from '../../plugins/signing/signature-file.js';
import { formatSignatures } from '../../plugins/signing/signature-text.js';
import type { FoundSignatures } from '../../plugins/signing/vouch.js';
import { moveInto, writeSynced } from './files.js';

/** A version of a plugin whose file is kept. */
export interface Kept {
  readonly version: string;
  /** Of the code, as the manifest says it. */
  readonly sha256: string;
  /** SHA-256 of the whole file, which names it. */
  readonly file: string;
  /** Its name in the plugin folder when it served. */
  readonly from?: string;
}

interface History {
  /** The version that served last, also where its file is not kept. */
  readonly served?: string | undefined;
  readonly current?: Kept | undefined;
  readonly previous?: Kept | undefined;
  /** Files that were taken back by themselves, the last ones: SHA-256 and code. */
  readonly takenBack?: readonly (readonly [file: string, code: ErrorCode])[] | undefined;
}

/** @throws Error it is none */
function historyOf(text: string): History {
  const history = JSON.parse(text) as History | null;
  if (typeof history === 'object' && history !== null && Array.isArray(history.takenBack ?? []))
    return history;
  throw new Error('no history');
}

/** Files of one plugin that are known to have failed. */
const FAILURES = 16;

/**
 * What has to outlive a restart, in `plugins/` of the data folder: the file of each plugin that serves and of
 * the one before it (FILE-SHA256.wasm) with the signatures that it came with (FILE-SHA256.wasm.sig), which is
 * which (NAME.json), and which plugins are disabled (NAME.disabled, empty).
 */
export class PluginStore {
  readonly #folder: string;
  readonly #histories = new Map<string, History>();
  /** Reading and writing, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param data the data folder */
  constructor(data: string) {
    this.#folder = join(data, 'plugins');
  }

  /**
   * Reads what is kept; gives the plugins that are disabled. A folder that is not there holds nothing.
   * @param damaged told of a history that cannot be read, and of the name that its file has now
   */
  async open(damaged: (plugin: string, aside: string) => void): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter(file => file.endsWith('.json'))) {
      const plugin = name.slice(0, -'.json'.length);
      const path = join(this.#folder, name);
      try {
        this.#histories.set(plugin, historyOf(await readFile(path, 'utf8')));
      } catch {
        // What cannot be read cannot be rolled back to; the next version starts a new history.
        const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
        const isMoved = await moveInto(path, aside).then(
          () => true,
          () => false,
        );
        damaged(plugin, isMoved ? aside : path);
      }
    }
    return names.flatMap(name => /^([a-z0-9][a-z0-9-]{0,62})\.disabled$/.exec(name)?.[1] ?? []);
  }

  previous(plugin: string): Kept | undefined {
    return this.#histories.get(plugin)?.previous;
  }

  /** The version of this plugin that served last. */
  served(plugin: string): string | undefined {
    const { served, current } = this.#histories.get(plugin) ?? {};
    return served ?? current?.version;
  }

  /** Plugins of which the version that served last is kept. */
  *all(): Generator<[plugin: string, kept: Kept]> {
    for (const [plugin, { current }] of this.#histories) if (current !== undefined) yield [plugin, current];
  }

  /** A kept version and its signatures. @throws if the bytes are gone or are others */
  async read({ file }: Kept): Promise<{ bytes: Uint8Array; signatures: FoundSignatures }> {
    const path = join(this.#folder, `${file}.wasm`);
    const bytes = await readFile(path);
    if (sha256(bytes) !== file) throw new Error(`${file}.wasm in ${this.#folder} is damaged`);
    return { bytes, signatures: await readSignatures(signaturesOf(path)) };
  }

  /**
   * This offer is the one that serves; what served before it is the previous version from now on.
   * @param bytes of its file
   */
  serves(offer: Offer, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const { name, version, sha256: code } = offer.manifest;
      const known = this.#histories.get(name);
      await mkdir(this.#folder, { recursive: true });
      // A plugin with a manifest beside it is two files: it is not kept, but it served.
      if (!offer.embedded) {
        if (known?.served !== version) await this.#write(name, { ...known, served: version });
        return;
      }
      const file = sha256(bytes);
      await this.#putSignatures(`${file}.wasm`, offer.signatures);
      if (known?.current?.file === file && known.served === version) return;
      await this.#put(`${file}.wasm`, bytes);
      const current = { version, sha256: code, file, from: offer.file };
      const previous = known?.current?.file === file ? known.previous : (known?.current ?? known?.previous);
      // Somebody has asked for it, or it stands its trial this time.
      const takenBack = known?.takenBack?.filter(([failed]) => failed !== file);
      await this.#write(name, { served: version, current, previous, takenBack });
    });
  }

  /** Why this file was taken back by itself. @param fileHash SHA-256, in hexadecimal digits */
  failureOf(plugin: string, fileHash: string): ErrorCode | undefined {
    return this.#histories.get(plugin)?.takenBack?.find(([file]) => file === fileHash)?.[1];
  }

  /** It served, and failed among its first frames: what served before it does again, also after a restart. */
  takenBack({ name, fileHash }: Offer, code: ErrorCode): Promise<void> {
    return this.#inTurn(async () => {
      const file = fileHash.toString('hex');
      const known = this.#histories.get(name);
      const others = known?.takenBack?.filter(([failed]) => failed !== file) ?? [];
      const takenBack = [[file, code] as const, ...others].slice(0, FAILURES);
      const isCurrent = known?.current?.file === file;
      const current = isCurrent ? known.previous : known?.current;
      const previous = isCurrent ? undefined : known?.previous;
      await mkdir(this.#folder, { recursive: true });
      await this.#write(name, { served: current?.version ?? known?.served, current, previous, takenBack });
    });
  }

  /** What was taken back may come again. @returns false: nothing was */
  async forgive(plugin: string): Promise<boolean> {
    await this.#last;
    const { takenBack = [], ...history } = this.#histories.get(plugin) ?? {};
    if (takenBack.length === 0) return false;
    await this.#inTurn(() => this.#write(plugin, history));
    return true;
  }

  /** Nothing serves any more, on purpose: what did is the previous version, and any version may come. */
  removed(plugin: string): Promise<void> {
    return this.#inTurn(async () => {
      const { current, previous } = this.#histories.get(plugin) ?? {};
      if (current !== undefined || previous !== undefined)
        await this.#write(plugin, { previous: current ?? previous });
    });
  }

  disable(plugin: string): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(this.#marker(plugin), '');
    });
  }

  enable(plugin: string): Promise<void> {
    return this.#inTurn(async () => {
      await unlink(this.#marker(plugin)).catch(thrown => {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      });
    });
  }

  /** All that was begun has been written. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  #marker(plugin: string): string {
    return join(this.#folder, `${plugin}.disabled`);
  }

  async #write(plugin: string, history: History): Promise<void> {
    await this.#put(`${plugin}.json`, Buffer.from(`${JSON.stringify(history)}\n`));
    const before = this.#histories.get(plugin);
    this.#histories.set(plugin, history);
    const used = new Set(
      [...this.#histories.values()].flatMap(({ current, previous }) => [current?.file, previous?.file]),
    );
    for (const file of [before?.current?.file, before?.previous?.file]) {
      if (file === undefined || used.has(file)) continue;
      for (const name of [`${file}.wasm`, `${file}.wasm.sig`])
        await unlink(join(this.#folder, name)).catch(() => {});
    }
  }

  async #putSignatures(name: string, signatures: FoundSignatures): Promise<void> {
    if (signatures instanceof SluiceError || signatures.length === 0) return;
    await this.#put(signaturesOf(name), Buffer.from(formatSignatures(signatures)));
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.#folder, `.${name}.new`);
    await writeSynced(temporary, bytes);
    await moveInto(temporary, join(this.#folder, name));
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
