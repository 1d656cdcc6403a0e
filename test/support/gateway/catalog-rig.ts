import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Catalog } from '../../../host/plugins/catalog.js';
import type { Offer } from '../../../host/plugins/offer.js';
import { SignatureGate } from '../../../host/plugins/signing/signature-gate.js';
import { Transpiler } from '../../../host/plugins/transpiler.js';
import { VersionGate } from '../../../host/plugins/version-gate.js';
import type { SluiceError } from '../../../runtime/index.js';
import { Waiting } from '../devices/gateway-peers.js';
import { tempFolder } from './gateway-rig.js';

/** A catalog on a real folder, and what it has told, in order. */
export class CatalogRig extends Waiting {
  /** The folder that is watched. */
  readonly folder: string;
  /** Where transpiled components are kept. */
  readonly components: string;
  /** Trusted keys. */
  readonly keys: string;
  readonly data: string;
  readonly offers: Offer[] = [];
  readonly gone: string[] = [];
  /** Files that were refused and are gone. */
  readonly forgotten: string[] = [];
  readonly refusals: { file: string; error: SluiceError }[] = [];
  /** The folder, as often as it could be read again. */
  readonly returned: string[] = [];
  readonly warnings: SluiceError[] = [];
  /** Version that served last, by plugin. */
  readonly served = new Map<string, string>();
  readonly gate: SignatureGate;
  readonly catalog: Catalog;

  private constructor(root: string, signatures: 'auto' | 'require' | 'warn' | 'off') {
    super();
    this.folder = join(root, 'plugins');
    this.components = join(root, 'components');
    this.keys = join(root, 'keys');
    this.data = join(root, 'data');
    this.gate = new SignatureGate({
      rule: { signatures, keys: this.keys },
      data: this.data,
      changed: () => {
        this.catalog.judgeAgain();
        this.changed();
      },
      report: error => {
        this.warnings.push(error);
        this.changed();
      },
    });
    this.catalog = new Catalog({
      folder: this.folder,
      transpiler: new Transpiler(this.components),
      signatures: this.gate,
      versions: new VersionGate({ allowed: () => false, served: plugin => this.served.get(plugin) }),
      events: {
        offered: offer => {
          this.offers.push(offer);
          this.changed();
        },
        gone: (name, file) => {
          (name === undefined ? this.forgotten : this.gone).push(file);
          this.changed();
        },
        refused: (file, error) => {
          this.refusals.push({ file, error });
          this.changed();
        },
        back: folder => {
          this.returned.push(folder);
          this.changed();
        },
      },
    });
  }

  /** @param root default: a fresh folder */
  static async make(
    t: TestContext,
    signatures: 'auto' | 'require' | 'warn' | 'off' = 'off',
    root?: string,
  ): Promise<CatalogRig> {
    const rig = new CatalogRig(root ?? (await tempFolder(t)), signatures);
    await mkdir(rig.folder, { recursive: true });
    t.after(() => rig.stop());
    return rig;
  }

  async start(): Promise<void> {
    await this.gate.start();
    await this.catalog.start();
  }

  async stop(): Promise<void> {
    await this.gate.stop();
    await this.catalog.stop();
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
