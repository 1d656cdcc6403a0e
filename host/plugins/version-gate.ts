import { type Manifest, SluiceError } from '../../runtime/index.js';
import { compareVersions } from './semver.js';

export interface VersionGateParts {
  /** The configuration allows lower versions of this plugin. */
  readonly allowed: (plugin: string) => boolean;
  /** The version of this plugin that served last, also before a restart. */
  readonly served: (plugin: string) => string | undefined;
  /** Why the file with this SHA-256 was taken back by itself, also before a restart. */
  readonly takenBack?: (plugin: string, fileHash: string) => string | undefined;
}

/** No way back unasked: not to an old file with a known hole, which stays signed, and not to one that has failed here. */
export class VersionGate {
  readonly #parts: VersionGateParts;
  /** By plugin: the version that somebody is going back to on purpose. */
  readonly #permitted = new Map<string, string>();

  constructor(parts: VersionGateParts) {
    this.#parts = parts;
  }

  /** This version may come while `work` lasts. */
  async permitting<T>({ name, version }: Manifest, work: () => Promise<T>): Promise<T> {
    this.#permitted.set(name, version);
    try {
      return await work();
    } finally {
      this.#permitted.delete(name);
    }
  }

  /** @throws SluiceError SLUICE_PLUGIN_ROLLED_BACK, SLUICE_PLUGIN_DOWNGRADE */
  check(file: string, { name, version }: Manifest, fileHash: Buffer): void {
    const { allowed, served, takenBack } = this.#parts;
    const why = takenBack?.(name, fileHash.toString('hex'));
    if (why !== undefined && this.#permitted.get(name) !== version) {
      throw new SluiceError(
        'SLUICE_PLUGIN_ROLLED_BACK',
        `${file}: version ${version} of ${name} was taken back among its first frames (${why}), and this is the same file`,
        { step: 'admit', plugin: name },
      );
    }
    const last = served(name);
    if (last === undefined || compareVersions(version, last) >= 0) return;
    if (allowed(name) || this.#permitted.get(name) === version) return;
    throw new SluiceError(
      'SLUICE_PLUGIN_DOWNGRADE',
      `${file}: version ${version} of ${name} is lower than ${last}, which served last`,
      { step: 'admit', plugin: name },
    );
  }
}
