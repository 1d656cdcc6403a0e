import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Fault, type Manifest, SluiceError } from '../../../runtime/index.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { Signature } from '../../plugins/signing/signature-text.js';
import type { Router } from '../../route/router/router.js';
import { removeFile } from './files.js';
import type { PluginBoard } from './plugin-board.js';
import { removeSigned, replaceSigned, signaturesBeside } from './signed-file.js';
import { inFolder, stored, temporaryIn } from './upload.js';

/** A file that the catalogue found in the midst of a change is looked at again after this. */
const AGAIN_MS = 50;
const MOST_LOOKS = 40;

export interface InstallerParts {
  /** The plugin folder. */
  readonly folder: string;
  readonly catalog: Catalog;
  readonly router: Router;
  readonly board: PluginBoard;
  /** All files that are in the folder now are dealt with, and the swaps they led to are over. */
  readonly settled: () => Promise<void>;
}

/** Puts files of plugins into the folder, and what was there back if the new one is refused. */
export class Installer {
  readonly #parts: InstallerParts;

  constructor(parts: InstallerParts) {
    this.#parts = parts;
  }

  /**
   * Gives a whole file the name of the plugin's file, and waits for what becomes of it.
   * @param temporary a file in the plugin folder; gone afterwards
   * @param signatures to be put beside it
   * @returns true if the plugin was not there before
   * @throws SluiceError why it was refused; the file that was there before is back then
   */
  async install(
    temporary: string,
    { name, sha256 }: Manifest,
    signatures: readonly Signature[],
  ): Promise<boolean> {
    const { folder, catalog, board } = this.#parts;
    const known = catalog.fileOf(name);
    const file = known ?? `${name}.wasm`;
    this.#mustBeFree(name, file);
    const path = join(folder, file);
    const before = temporaryIn(folder);
    const { replaces, signaturesBefore } = await catalog.change(() =>
      stored(async () => {
        const signaturesBefore = await signaturesBeside(folder, file);
        const replaces = await hold(path, before);
        board.gone(file);
        await replaceSigned(folder, file, temporary, signatures);
        return { replaces, signaturesBefore };
      }),
    );
    const fault = await this.#outcome(name, file, sha256);
    if (fault === undefined) {
      if (replaces) await removeFile(before);
      return known === undefined;
    }
    await stored(() => this.#putBack(name, file, replaces ? before : undefined, signaturesBefore));
    throw SluiceError.fromFault(fault);
  }

  /** The same with bytes that are to be written first. */
  async installBytes(
    bytes: Uint8Array,
    manifest: Manifest,
    signatures: readonly Signature[],
  ): Promise<boolean> {
    const temporary = temporaryIn(this.#parts.folder);
    try {
      await inFolder(this.#parts.folder, () => writeFile(temporary, bytes, { flag: 'wx', flush: true }));
      return await this.install(temporary, manifest, signatures);
    } finally {
      await removeFile(temporary);
    }
  }

  /** @throws SluiceError SLUICE_PLUGIN_NAME_TAKEN: another plugin is in the file */
  #mustBeFree(name: string, file: string): void {
    for (const offer of this.#parts.router.offers.values()) {
      if (offer.file !== file || offer.name === name) continue;
      const message = `${file} carries the plugin ${offer.name}`;
      throw new SluiceError('SLUICE_PLUGIN_NAME_TAKEN', message);
    }
  }

  /** Why the file was refused; undefined: it serves, or nothing asks for it. */
  async #outcome(name: string, file: string, sha256: string): Promise<Fault | undefined> {
    const { board, router, settled } = this.#parts;
    for (let look = 0; look < MOST_LOOKS; look++) {
      await settled();
      const unusable = board.refusalOfFile(file);
      if (unusable !== undefined) return unusable;
      if (router.offers.get(name)?.manifest.sha256 === sha256) return board.refusalOf(name);
      await setTimeout(AGAIN_MS);
    }
    return { code: 'SLUICE_MODULE_UNREADABLE', message: `${file} was changed by somebody else meanwhile` };
  }

  async #putBack(
    name: string,
    file: string,
    before: string | undefined,
    signatures: readonly Signature[],
  ): Promise<void> {
    const { folder, catalog, router, board, settled } = this.#parts;
    if (before !== undefined) {
      router.putBack(name);
      await catalog.change(() => replaceSigned(folder, file, before, signatures));
    } else {
      await catalog.change(() => removeSigned(folder, file));
      await router.forget(name);
      board.forget(name);
    }
    await settled();
  }
}

/** A second name for the file, whatever happens to the first; false: there is none. */
async function hold(path: string, as: string): Promise<boolean> {
  try {
    await link(path, as);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}
