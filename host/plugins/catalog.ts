import { createHash } from 'node:crypto';
import { type Manifest, moduleKind, readManifest, SluiceError } from '../../runtime/index.js';
import type { ComponentCode, CoreCode } from '../../sandbox/index.js';
import { type Found, lookAt, readFound } from './folder.js';
import { readSidecar } from './sidecar.js';
import type { Transpiler } from './transpiler.js';
import { Watcher } from './watcher.js';

/** A plugin as the folder offers it. */
export interface Offer {
  readonly name: string;
  readonly file: string;
  readonly manifest: Manifest;
  /** SHA-256 of the whole file. */
  readonly sha256: string;
  readonly code: CoreCode | ComponentCode;
}

export interface CatalogEvents {
  /** A plugin is new, or its file has changed. */
  offered(offer: Offer): void;
  /** The file of a plugin is gone. */
  gone(name: string, file: string): void;
  /** A file cannot be a plugin. Told once for each state of the file. */
  refused(file: string, error: SluiceError): void;
}

/** A file without a manifest of its own is complete when size and time have stood still for this long. */
const STILL_MS = 200;

/** What is in the plugin folder: looks, reads, checks completeness, and tells of offers. */
export class Catalog {
  readonly #folder: string;
  readonly #events: CatalogEvents;
  readonly #transpiler: Transpiler;
  readonly #watcher: Watcher;
  /** File name to the state that was last dealt with. */
  readonly #seen = new Map<string, string>();
  /** Files refused because their plugin's name was taken. */
  readonly #taken = new Set<string>();
  /** Plugin name to the file that carries it. */
  readonly #files = new Map<string, string>();

  constructor(folder: string, transpiler: Transpiler, events: CatalogEvents) {
    this.#folder = folder;
    this.#events = events;
    this.#transpiler = transpiler;
    this.#watcher = new Watcher(folder, () => this.#look());
  }

  /** Resolves when all that is in the folder has been offered once. */
  start(): Promise<void> {
    return this.#watcher.start();
  }

  /** Looks now. */
  async refresh(): Promise<void> {
    this.#watcher.poke();
    await this.#watcher.settled();
  }

  stop(): Promise<void> {
    return this.#watcher.stop();
  }

  async #look(): Promise<void> {
    const found = await lookAt(this.#folder);
    for (const [name, file] of [...this.#files]) {
      if (found.has(file)) continue;
      this.#files.delete(name);
      this.#events.gone(name, file);
      // A file that was refused because this one had its name gets another chance.
      for (const waiting of this.#taken) this.#seen.delete(waiting);
      this.#taken.clear();
    }
    for (const file of [...this.#seen.keys()]) if (!found.has(file)) this.#seen.delete(file);
    for (const [file, state] of found) {
      const stamp = state instanceof SluiceError ? state.message : state.stamp;
      if (this.#seen.get(file) === stamp) continue;
      try {
        if (state instanceof SluiceError) throw state;
        const offer = await this.#read(file, state);
        if (offer === undefined) continue;
        this.#seen.set(file, stamp);
        this.#claim(offer.name, file);
        this.#events.offered(offer);
      } catch (thrown) {
        this.#seen.set(file, stamp);
        if (thrown instanceof SluiceError && thrown.code === 'SLUICE_PLUGIN_NAME_TAKEN')
          this.#taken.add(file);
        const error =
          thrown instanceof SluiceError
            ? thrown
            : new SluiceError('SLUICE_INTERNAL', String(thrown), { cause: thrown });
        this.#events.refused(file, error);
      }
    }
  }

  /** Undefined: not complete yet; it is looked at again. */
  async #read(file: string, found: Found): Promise<Offer | undefined> {
    const bytes = await readFound(file, found.file);
    const still = Date.now() - found.changedMs >= STILL_MS;
    try {
      const embedded = readManifest(bytes);
      const manifest = embedded?.manifest ?? (still ? await readSidecar(found.file, file, bytes) : undefined);
      if (manifest === undefined) return this.#later();
      const hash = createHash('sha256')
        .update(bytes.subarray(0, embedded?.end ?? bytes.length))
        .digest('hex');
      if (hash !== manifest.sha256) {
        throw new SluiceError(
          'SLUICE_MODULE_HASH',
          `${file}: its bytes have the SHA-256 ${hash}, its manifest says ${manifest.sha256}`,
        );
      }
      const code = await this.#code(manifest.name, bytes, hash);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { name: manifest.name, file, manifest, sha256, code };
    } catch (thrown) {
      // A file in the middle of being written looks broken: only what stands still is refused.
      if (thrown instanceof SluiceError && !still && INCOMPLETE.has(thrown.code)) return this.#later();
      if (thrown instanceof SluiceError && !thrown.message.startsWith(file)) {
        throw new SluiceError(thrown.code, `${file}: ${thrown.message}`, { step: 'admit', cause: thrown });
      }
      throw thrown;
    }
  }

  #later(): undefined {
    this.#watcher.pokeIn(STILL_MS);
    return undefined;
  }

  async #code(name: string, bytes: Uint8Array, sha256: string): Promise<CoreCode | ComponentCode> {
    if (moduleKind(bytes) === 'component') return this.#transpiler.transpile(name, bytes, sha256);
    return { format: 'core', bytes };
  }

  /** @throws SluiceError SLUICE_PLUGIN_NAME_TAKEN */
  #claim(name: string, file: string): void {
    const first = this.#files.get(name);
    if (first !== undefined && first !== file) {
      throw new SluiceError(
        'SLUICE_PLUGIN_NAME_TAKEN',
        `${file}: the plugin name ${name} is taken by ${first}`,
      );
    }
    for (const [other, carrier] of this.#files)
      if (carrier === file && other !== name) this.#files.delete(other);
    this.#files.set(name, file);
  }
}

/** What a half-written file can look like. */
const INCOMPLETE = new Set([
  'SLUICE_MODULE_NOT_WASM',
  'SLUICE_MODULE_MALFORMED',
  'SLUICE_MODULE_HASH',
  'SLUICE_MANIFEST_INVALID',
]);
