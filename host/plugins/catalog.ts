import { createHash } from 'node:crypto';
import { type Manifest, moduleKind, readManifest, SluiceError } from '../../runtime/index.js';
import type { ComponentCode, CoreCode } from '../../sandbox/index.js';
import { type FoundModule, lookAt } from './folder.js';
import { readFound } from './found.js';
import { readSidecar } from './sidecar.js';
import { Stillness } from './stillness.js';
import type { Transpiler } from './transpiler.js';
import { Watcher } from './watcher.js';

/** A plugin as the folder offers it. */
export interface Offer {
  readonly name: string;
  readonly file: string;
  readonly manifest: Manifest;
  readonly code: CoreCode | ComponentCode;
}

export interface CatalogEvents {
  /** A plugin is new, or its file has changed. */
  offered(offer: Offer): void;
  /** The file of a plugin is gone. */
  gone(name: string, file: string): void;
  /** A file (or the folder) cannot be used. Told once for each state of the file. */
  refused(file: string, error: SluiceError): void;
}

/** A file without a manifest of its own is complete when it has stood still for this long. */
const STILL_MS = 200;
/** What looks half-written is refused when it has stood still for this long: a copy may pause. */
const PATIENCE_MS = 1000;

/** What a half-written file, or one whose sidecar is still to come, can look like. */
const INCOMPLETE = new Set([
  'SLUICE_MODULE_NOT_WASM',
  'SLUICE_MODULE_MALFORMED',
  'SLUICE_MODULE_HASH',
  'SLUICE_MANIFEST_INVALID',
  'SLUICE_MANIFEST_MISSING',
]);

/** What is in the plugin folder: looks, reads, checks completeness, and tells of offers. */
export class Catalog {
  readonly #folder: string;
  readonly #events: CatalogEvents;
  readonly #transpiler: Transpiler;
  readonly #watcher: Watcher;
  readonly #stillness = new Stillness();
  /** File name to the state that was last dealt with. */
  readonly #seen = new Map<string, string>();
  /** Files refused because their plugin's name was taken. */
  readonly #taken = new Set<string>();
  /** Plugin name to the file that carries it. */
  readonly #files = new Map<string, string>();
  #folderFault: string | undefined;

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

  /** Name of the file that carries this plugin. */
  fileOf(plugin: string): string | undefined {
    return this.#files.get(plugin);
  }

  async stop(): Promise<void> {
    this.#transpiler.stop();
    await this.#watcher.stop();
  }

  async #look(): Promise<void> {
    const found = await this.#list();
    if (found === undefined) return;
    this.#forget(found);
    for (const [file, state] of found) {
      const stamp = state instanceof SluiceError ? state.message : state.stamp;
      const whole = state instanceof SluiceError ? stamp : wholeStamp(state);
      const seen = this.#seen.get(file);
      // What carries its own manifest does not change with the file beside it.
      if (seen === stamp || seen === whole) continue;
      try {
        if (state instanceof SluiceError) throw state;
        const offer = await this.#read(file, state);
        if (offer === undefined) continue;
        this.#seen.set(file, offer.embedded ? stamp : whole);
        this.#claim(offer.name, file);
        this.#events.offered(offer);
      } catch (thrown) {
        this.#seen.set(file, whole);
        this.#refuse(file, thrown);
      }
    }
  }

  /** Undefined: the folder cannot be read; what was known of it stands. */
  async #list(): Promise<Map<string, FoundModule | SluiceError> | undefined> {
    try {
      const found = await lookAt(this.#folder);
      this.#folderFault = undefined;
      return found;
    } catch (thrown) {
      const error = coded(thrown);
      if (error.message !== this.#folderFault) this.#events.refused(this.#folder, error);
      this.#folderFault = error.message;
      return undefined;
    }
  }

  #forget(found: ReadonlyMap<string, unknown>): void {
    for (const [name, file] of [...this.#files]) {
      if (found.has(file)) continue;
      this.#free(name);
      this.#events.gone(name, file);
    }
    for (const file of [...this.#seen.keys()]) if (!found.has(file)) this.#seen.delete(file);
    this.#stillness.keep(found);
  }

  #refuse(file: string, thrown: unknown): void {
    const error = coded(thrown);
    if (error.code === 'SLUICE_PLUGIN_NAME_TAKEN') this.#taken.add(file);
    this.#events.refused(file, error);
  }

  /** Undefined: not complete yet; it is looked at again. */
  async #read(file: string, found: FoundModule): Promise<(Offer & { embedded: boolean }) | undefined> {
    const stillMs = this.#stillness.of(file, wholeStamp(found), changedMs(found));
    const bytes = await readFound(file, found);
    if (bytes === undefined) return this.#later();
    try {
      const embedded = readManifest(bytes);
      if (embedded === undefined && stillMs < STILL_MS) return this.#later();
      const manifest = embedded?.manifest ?? (await readSidecar(file, found, bytes));
      if (manifest === undefined) return this.#later();
      const sha256 = createHash('sha256')
        .update(bytes.subarray(0, embedded?.end ?? bytes.length))
        .digest('hex');
      if (sha256 !== manifest.sha256) {
        throw new SluiceError(
          'SLUICE_MODULE_HASH',
          `${file}: its bytes have the SHA-256 ${sha256}, its manifest says ${manifest.sha256}`,
        );
      }
      const code = await this.#code(manifest.name, bytes, sha256);
      return { name: manifest.name, file, manifest, code, embedded: embedded !== undefined };
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      if (stillMs < PATIENCE_MS && INCOMPLETE.has(thrown.code)) return this.#later();
      if (thrown.message.startsWith(file)) throw thrown;
      throw new SluiceError(thrown.code, `${file}: ${thrown.message}`, { step: 'admit', cause: thrown });
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
    for (const [other, carrier] of [...this.#files])
      if (carrier === file && other !== name) this.#free(other);
    this.#files.set(name, file);
  }

  /** A name is free again: files that were refused because of it get another chance. */
  #free(name: string): void {
    this.#files.delete(name);
    if (this.#taken.size === 0) return;
    for (const waiting of this.#taken) this.#seen.delete(waiting);
    this.#taken.clear();
    this.#watcher.poke();
  }
}

function wholeStamp({ stamp, sidecar }: FoundModule): string {
  if (sidecar === undefined) return `${stamp} alone`;
  return `${stamp} ${sidecar instanceof SluiceError ? sidecar.message : sidecar.stamp}`;
}

function changedMs({ changedMs, sidecar }: FoundModule): number {
  return sidecar === undefined || sidecar instanceof SluiceError
    ? changedMs
    : Math.max(changedMs, sidecar.changedMs);
}

function coded(thrown: unknown): SluiceError {
  return thrown instanceof SluiceError
    ? thrown
    : new SluiceError('SLUICE_INTERNAL', String(thrown), { cause: thrown });
}
