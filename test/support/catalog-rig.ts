import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Catalog, type Offer } from '../../host/plugins/catalog.js';
import { Transpiler } from '../../host/plugins/transpiler.js';
import type { SluiceError } from '../../runtime/index.js';
import { Waiting } from './gateway-peers.js';
import { tempFolder } from './gateway-rig.js';

/** A catalog on a real folder, and what it has told, in order. */
export class CatalogRig extends Waiting {
  readonly offers: Offer[] = [];
  readonly gone: string[] = [];
  readonly refusals: { file: string; error: SluiceError }[] = [];
  readonly catalog: Catalog;

  private constructor(
    /** The folder that is watched. */
    readonly folder: string,
    /** Where transpiled components are kept. */
    readonly components: string,
  ) {
    super();
    this.catalog = new Catalog(folder, new Transpiler(components), {
      offered: offer => {
        this.offers.push(offer);
        this.changed();
      },
      gone: (_, file) => {
        this.gone.push(file);
        this.changed();
      },
      refused: (file, error) => {
        this.refusals.push({ file, error });
        this.changed();
      },
    });
  }

  static async make(t: TestContext): Promise<CatalogRig> {
    const root = await tempFolder(t);
    const rig = new CatalogRig(join(root, 'plugins'), join(root, 'components'));
    await mkdir(rig.folder);
    t.after(() => rig.catalog.stop());
    return rig;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Puts a file there in one step. */
  async put(name: string, bytes: Uint8Array | string): Promise<void> {
    await writeFile(this.path('.put'), bytes);
    await rename(this.path('.put'), this.path(name));
  }

  refusalsOf(file: string): string[] {
    return this.refusals.filter(refusal => refusal.file === file).map(({ error }) => error.code);
  }

  async refused(file: string): Promise<SluiceError> {
    await this.until(`${file} to be refused`, () => this.refusalsOf(file).length > 0);
    return this.refusals.find(refusal => refusal.file === file)!.error;
  }

  async offered(file: string, times = 1): Promise<Offer> {
    const of = (): Offer[] => this.offers.filter(offer => offer.file === file);
    await this.until(`${file} to be offered ${times} times`, () => of().length >= times);
    return of()[times - 1]!;
  }
}
