import { type ErrorCode, moduleKind, readManifest, SluiceError } from '../../runtime/index.js';
import { type FoundModule, lookAt } from './folder.js';
import { ModuleReader, STILL_MS } from './module-reader.js';
import { type Identified, identify, type Offer } from './offer.js';
import type { SignatureGate } from './signing/signature-gate.js';
import { type FileStamps, stampsOf } from './stamps.js';
import type { Transpiler } from './transpiler.js';
import type { VersionGate } from './version-gate.js';
import { Watcher } from './watcher.js';

export interface CatalogEvents {
  /** A plugin is new, or its file has changed. */
  offered(offer: Offer): void;
  /** A file is gone. @param name of the plugin that it carried; undefined: it was refused */
  gone(name: string | undefined, file: string): void;
  /** A file (or the folder) cannot be used. Told once for each state of the file. */
  refused(file: string, error: SluiceError): void;
  /** The folder, of which `refused` was told, can be read again. */
  back(folder: string): void;
}

export interface CatalogParts {
  readonly folder: string;
  readonly transpiler: Transpiler;
  readonly signatures: SignatureGate;
  readonly versions: VersionGate;
  readonly events: CatalogEvents;
}

/** What is known of a file that was dealt with. */
interface Seen {
  /** The state that was dealt with. */
  readonly stamp: string;
  readonly refused?: ErrorCode;
  /** What it offered last, and the state at that time of what was loaded. */
  readonly offer?: Offer;
  readonly code?: string;
}

/** What is in the plugin folder: looks, reads, checks completeness and signature, and tells of offers. */
export class Catalog {
  readonly #parts: CatalogParts;
  readonly #watcher: Watcher;
  readonly #reader: ModuleReader;
  readonly #seen = new Map<string, Seen>();
  /** Files whose code is being made ready: one load at a time for each file, and so for each name. */
  readonly #loading = new Map<string, Promise<void>>();
  /** Plugin name to the file that carries it. */
  readonly #files = new Map<string, string>();
  #folderFault: string | undefined;
  #started = false;

  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#reader = new ModuleReader(parts.signatures);
    this.#watcher = new Watcher(parts.folder, () => this.#look());
  }

  /** Resolves when all that is in the folder has been offered once. */
  async start(): Promise<void> {
    this.#started = true;
    await this.#watcher.start();
    await this.#settled();
  }

  /** Looks now. */
  async refresh(): Promise<void> {
    this.#watcher.poke();
    await this.#settled();
  }

  /** Name of the file that carries this plugin. */
  fileOf(plugin: string): string | undefined {
    return this.#files.get(plugin);
  }

  /**
   * Keys or policy have changed: what was refused for its signature or its version is looked at again, and so is what
   * is revoked now.
   */
  judgeAgain(): void {
    if (!this.#started) return;
    const { signatures } = this.#parts;
    for (const [file, { refused, offer }] of this.#seen) {
      const revoked = offer !== undefined && signatures.standing(offer).may === 'not run';
      const may =
        refused === 'SLUICE_PLUGIN_ROLLED_BACK' ||
        refused === 'SLUICE_PLUGIN_DOWNGRADE' ||
        refused?.startsWith('SLUICE_SIGNATURE_');
      if (revoked || may) this.#seen.delete(file);
    }
    this.#watcher.poke();
  }

  /** What these files offered was refused by those who would run it: they are read, judged and offered once more. */
  offerAgain(offers: readonly Offer[]): void {
    for (const [file, { offer }] of this.#seen) {
      if (offer !== undefined && offers.includes(offer)) this.#seen.delete(file);
    }
    this.#watcher.poke();
  }

  /**
   * The offer of a kept version, judged like a file that has just come.
   * @param file its name in the folder when it served
   * @throws SluiceError why it cannot be used any more
   */
  async kept(file: string, bytes: Uint8Array, signatures: Offer['signatures']): Promise<Offer> {
    const found = readManifest(bytes);
    if (found === undefined) throw new SluiceError('SLUICE_MANIFEST_MISSING', `${file} carries no manifest`);
    const identified = identify(file, bytes, found, signatures);
    const refusal = this.#parts.signatures.refusal(identified);
    if (refusal !== undefined) throw refusal;
    return this.#offerOf(identified, 'kept');
  }

  /** Nothing of the folder is looked at while `work` changes several files of it; then all that it changed is. */
  change<T>(work: () => Promise<T>): Promise<T> {
    return this.#watcher.without(work);
  }

  async stop(): Promise<void> {
    this.#parts.transpiler.stop();
    await this.#watcher.stop();
    await Promise.all(this.#loading.values());
  }

  async #settled(): Promise<void> {
    for (;;) {
      await this.#watcher.settled();
      if (this.#loading.size === 0) return;
      await Promise.all(this.#loading.values());
    }
  }

  async #look(): Promise<void> {
    const found = await this.#list();
    if (found === undefined) return;
    this.#forget(found);
    for (const [file, state] of found) {
      const stamps = stampsOf(state, this.#parts.signatures.looks);
      const seen = this.#seen.get(file)?.stamp;
      // What carries its own manifest does not change with the one beside it.
      if (seen === stamps.own || seen === stamps.whole || this.#loading.has(file)) continue;
      try {
        if (state instanceof SluiceError) throw state;
        await this.#examine(file, state, stamps);
      } catch (thrown) {
        this.#refuse(file, stamps, named(file, thrown));
      }
    }
  }

  /** Undefined: the folder cannot be read; what was known of it stands. One that is gone is empty. */
  async #list(): Promise<Map<string, FoundModule | SluiceError> | undefined> {
    const { folder, events } = this.#parts;
    try {
      const found = await lookAt(folder);
      if (found === undefined) {
        const what = `the plugin folder ${folder} is not there; what is in memory serves on, and files are taken up once it is back`;
        this.#unreadable(new SluiceError('SLUICE_PLUGIN_FOLDER', what));
        return new Map();
      }
      if (this.#folderFault !== undefined) events.back(folder);
      this.#folderFault = undefined;
      return found;
    } catch (thrown) {
      this.#unreadable(coded(thrown));
      return undefined;
    }
  }

  #unreadable(error: SluiceError): void {
    if (error.message !== this.#folderFault) this.#parts.events.refused(this.#parts.folder, error);
    this.#folderFault = error.message;
  }

  #forget(found: ReadonlyMap<string, unknown>): void {
    for (const [name, file] of [...this.#files]) {
      if (found.has(file)) continue;
      this.#free(name);
      this.#parts.events.gone(name, file);
    }
    for (const [file, { offer }] of [...this.#seen]) {
      if (found.has(file)) continue;
      this.#seen.delete(file);
      if (offer === undefined) this.#parts.events.gone(undefined, file);
    }
    this.#reader.keep(found);
  }

  #refuse(file: string, stamps: FileStamps, thrown: unknown): void {
    const error = coded(thrown);
    this.#seen.set(file, { ...this.#seen.get(file), stamp: stamps.whole, refused: error.code });
    this.#parts.events.refused(file, error);
  }

  async #examine(file: string, found: FoundModule, stamps: FileStamps): Promise<void> {
    const read = await this.#reader.read(file, found, stamps);
    if (read === undefined) return this.#watcher.pokeIn(STILL_MS);
    const { manifest, embedded } = read;
    const stamp = embedded ? stamps.own : stamps.whole;
    const before = this.#seen.get(file)?.offer;
    if (before !== undefined && this.#seen.get(file)?.code === stamps.code(embedded)) {
      // Only the signatures are others, and they are as good: nothing to load.
      before.signatures = read.signatures;
      this.#seen.set(file, { stamp, offer: before, code: stamps.code(embedded) });
      return;
    }
    this.#mustBeFree(manifest.name, file);
    this.#parts.versions.check(file, manifest, read.fileHash);
    const fresh = this.#claim(manifest.name, file);
    const done = (offer: Offer): void => {
      this.#seen.set(file, { stamp, offer, code: stamps.code(embedded) });
      this.#parts.events.offered(offer);
    };
    if (moduleKind(read.bytes) === 'core') done(coreOffer(read, 'folder'));
    else this.#load(file, stamps, fresh, read, done);
  }

  /** Makes the code ready while the look goes on to other files. */
  #load(
    file: string,
    stamps: FileStamps,
    fresh: boolean,
    read: Identified,
    done: (offer: Offer) => void,
  ): void {
    const load = async (): Promise<void> => {
      try {
        const offer = await this.#offerOf(read, 'folder');
        if (this.#files.get(offer.name) === file) done(offer);
      } catch (thrown) {
        if (fresh) this.#free(read.manifest.name);
        this.#refuse(file, stamps, named(file, thrown));
      } finally {
        this.#loading.delete(file);
        this.#watcher.poke();
      }
    };
    this.#loading.set(file, load());
  }

  async #offerOf(read: Identified, origin: Offer['origin']): Promise<Offer> {
    const { manifest, bytes } = read;
    if (moduleKind(bytes) === 'core') return coreOffer(read, origin);
    const code = await this.#parts.transpiler.transpile(manifest.name, bytes, manifest.sha256);
    return { ...partsOf(read), code, origin };
  }

  /** @throws SluiceError SLUICE_PLUGIN_NAME_TAKEN */
  #mustBeFree(name: string, file: string): void {
    const first = this.#files.get(name);
    if (first === undefined || first === file) return;
    throw new SluiceError(
      'SLUICE_PLUGIN_NAME_TAKEN',
      `${file}: the plugin name ${name} is taken by ${first}`,
    );
  }

  /** @returns true if nothing carried the name before */
  #claim(name: string, file: string): boolean {
    for (const [other, carrier] of [...this.#files])
      if (carrier === file && other !== name) this.#free(other);
    const fresh = !this.#files.has(name);
    this.#files.set(name, file);
    return fresh;
  }

  /** A name is free again: files that were refused because of it get another chance. */
  #free(name: string): void {
    this.#files.delete(name);
    for (const [file, { refused }] of [...this.#seen])
      if (refused === 'SLUICE_PLUGIN_NAME_TAKEN') {
        this.#seen.delete(file);
        this.#watcher.poke();
      }
  }
}

function coreOffer(read: Identified, origin: Offer['origin']): Offer {
  return { ...partsOf(read), code: { format: 'core', bytes: read.bytes }, origin };
}

function partsOf({ bytes: _, ...read }: Identified): Omit<Identified, 'bytes'> & { readonly name: string } {
  return { ...read, name: read.manifest.name };
}

/** The message begins with the name of the file. */
function named(file: string, thrown: unknown): unknown {
  if (!(thrown instanceof SluiceError) || thrown.message.startsWith(file)) return thrown;
  return new SluiceError(thrown.code, `${file}: ${thrown.message}`, { step: 'admit', cause: thrown });
}

function coded(thrown: unknown): SluiceError {
  return thrown instanceof SluiceError
    ? thrown
    : new SluiceError('SLUICE_INTERNAL', String(thrown), { cause: thrown });
}
