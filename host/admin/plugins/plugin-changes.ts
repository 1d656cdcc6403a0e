import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, faultOf, type Manifest, SluiceError } from '../../../runtime/index.js';
import type { AdminConfig } from '../../config/config.js';
import { sidecarOf } from '../../plugins/folder.js';
import type { Offer } from '../../plugins/offer.js';
import type { SignatureGate } from '../../plugins/signing/signature-gate.js';
import { parseSignatures, type Signature } from '../../plugins/signing/signature-text.js';
import type { VersionGate } from '../../plugins/version-gate.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { Audit } from '../events/audit.js';
import type { EventHub } from '../events/events.js';
import type { PluginView } from '../schemas/schemas.js';
import { removeFile } from './files.js';
import { Installer, type InstallerParts } from './installer.js';
import type { PluginStore } from './plugin-store.js';
import { removeSigned } from './signed-file.js';
import { checkUpload, type Incoming, receive, stored } from './upload.js';
import { within } from './within.js';

/** An answer waits this long for what becomes of a change: a swap waits for a sink that is away. */
const ANSWER_MS = 10_000;
/** Changes under way and waiting: they are made one after the other. */
const MOST_CHANGES = 8;

export interface ChangeParts extends InstallerParts {
  readonly config: AdminConfig;
  readonly store: PluginStore;
  readonly audit: Audit;
  readonly hub: EventHub;
  readonly report: Reporter;
  readonly gate: SignatureGate;
  readonly versions: VersionGate;
}

export interface Changed {
  /** 201: it was not there before; 202: it is not known yet what becomes of it. */
  readonly status: 200 | 201 | 202;
  /** Undefined: it is not there any more. */
  readonly plugin: PluginView | undefined;
}

/** A plugin as it comes in. */
export interface Body extends Incoming {
  /** The text of its signatures. */
  readonly signatures: string | undefined;
}

/** What a user can do to a plugin: one change after the other, each audited with its outcome. */
export class PluginChanges {
  readonly #parts: ChangeParts;
  readonly #installer: Installer;
  #last: Promise<unknown> = Promise.resolve();
  #kept: Promise<void> = Promise.resolve();
  #count = 0;

  constructor(parts: ChangeParts) {
    this.#parts = parts;
    this.#installer = new Installer(parts);
  }

  upload(name: string, body: Body, who: string): Promise<Changed> {
    const { config, folder } = this.#parts;
    return this.#audited('plugin.upload', name, who, async () => {
      if (!config.uploads) throw new SluiceError('SLUICE_ADMIN_UPLOADS_OFF', 'admin.uploads is false');
      if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
        throw new SluiceError('SLUICE_PLUGIN_NAME', 'the name in the path cannot be that of a plugin');
      }
      const { path, bytes } = await receive(body, folder, config.maxUploadBytes);
      try {
        const manifest = checkUpload(name, bytes);
        const signatures = body.signatures === undefined ? [] : parseSignatures(body.signatures);
        this.#mustBeAllowed(manifest, bytes, signatures);
        return await this.#inTurn(name, () => this.#installer.install(path, manifest, signatures));
      } finally {
        await removeFile(path);
      }
    });
  }

  rollback(name: string, who: string): Promise<Changed> {
    return this.#known('plugin.rollback', name, who, async () => {
      const { store, versions } = this.#parts;
      const previous = store.previous(name);
      if (previous === undefined) {
        throw new SluiceError('SLUICE_ADMIN_NO_PREVIOUS', `no version of ${name} before this one is kept`);
      }
      const { bytes, signatures } = await stored(() => store.read(previous));
      if (signatures instanceof SluiceError) throw signatures;
      const manifest = checkUpload(name, bytes);
      // Who asks for a rollback wants the lower version.
      return versions.permitting(manifest, () => this.#installer.installBytes(bytes, manifest, signatures));
    });
  }

  remove(name: string, who: string): Promise<Changed> {
    const { board, catalog, router, folder, store, settled } = this.#parts;
    return this.#known('plugin.delete', name, who, async file => {
      await stored(() =>
        catalog.change(async () => {
          await removeSigned(folder, file);
          await removeFile(join(folder, sidecarOf(file)));
        }),
      );
      await router.forget(name);
      await settled();
      await stored(() => store.removed(name));
      board.removed(name);
      return false;
    });
  }

  disable(name: string, who: string): Promise<Changed> {
    const { router, store, hub } = this.#parts;
    return this.#known('plugin.disable', name, who, async () => {
      await stored(() => store.disable(name));
      await router.disable(name);
      hub.emit({ type: 'plugin.disabled', plugin: name });
      return false;
    });
  }

  enable(name: string, who: string): Promise<Changed> {
    const { router, store, hub } = this.#parts;
    return this.#known('plugin.enable', name, who, async () => {
      await stored(() => store.enable(name));
      router.enable(name);
      hub.emit({ type: 'plugin.enabled', plugin: name });
      await router.settled();
      this.#mustServe(name);
      return false;
    });
  }

  /** Counts faults from nothing, forgets pauses between attempts, and starts a fresh generation. */
  reset(name: string, who: string): Promise<Changed> {
    const { router, board, store, catalog } = this.#parts;
    return this.#known('plugin.reset', name, who, async () => {
      await this.#kept;
      if (await store.forgive(name)) {
        catalog.judgeAgain();
        await catalog.refresh();
      }
      await board.reset(name);
      router.again(name);
      await router.settled();
      this.#mustServe(name);
      return false;
    });
  }

  /** Runs it when no change is under way; changes wait for it. */
  between(work: () => Promise<void>): Promise<void> {
    const done = Promise.all([this.#last, this.#kept]).then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** What serves now is kept, so that it can be rolled back to; changes wait for it. */
  keep(offer: Offer): void {
    const plugin = offer.name;
    this.#kept = this.#kept
      .then(() => this.#keep(offer))
      .catch(thrown => {
        const message = `the file of ${plugin} is not kept, so it cannot be rolled back to: ${faultOf(thrown).message}`;
        this.#parts.report.fault({ code: 'SLUICE_ADMIN_STORE', message, plugin }, { plugin });
      });
  }

  /** It is not to come back by itself, also after a restart; what served before it is what is kept. */
  takenBack(offer: Offer, code: ErrorCode): void {
    const plugin = offer.name;
    this.#kept = this.#kept
      .then(() => this.#parts.store.takenBack(offer, code))
      .catch(thrown => {
        const message = `that this version of ${plugin} was taken back is not kept, so it may serve again after a restart: ${faultOf(thrown).message}`;
        this.#parts.report.fault({ code: 'SLUICE_ADMIN_STORE', message, plugin }, { plugin });
      });
  }

  /** All that was begun has come to its end. */
  async settled(): Promise<void> {
    await this.#kept;
    await this.#parts.store.settled();
  }

  async #keep(offer: Offer): Promise<void> {
    const { folder, store } = this.#parts;
    const { code, file, fileHash } = offer;
    const bytes = code.format === 'core' ? code.bytes : await readFile(join(folder, file));
    // It may be the next file already; then its turn is about to come.
    const same = createHash('sha256').update(bytes).digest().equals(fileHash);
    if (same) await store.serves(offer, bytes);
  }

  /** Before anything is put into the folder. @throws SluiceError SLUICE_SIGNATURE_*, SLUICE_PLUGIN_DOWNGRADE */
  #mustBeAllowed(manifest: Manifest, bytes: Uint8Array, signatures: readonly Signature[]): void {
    const { gate, versions } = this.#parts;
    const file = `${manifest.name}.wasm`;
    const fileHash = createHash('sha256').update(bytes).digest();
    const refusal = gate.required ? gate.refusal({ file, fileHash, embedded: true, signatures }) : undefined;
    if (refusal !== undefined) throw refusal;
    versions.check(file, manifest, fileHash);
  }

  #mustServe(name: string): void {
    const fault = this.#parts.board.refusalOf(name);
    if (fault !== undefined) throw SluiceError.fromFault(fault);
  }

  /** @throws SluiceError SLUICE_ADMIN_PLUGIN */
  #known(
    action: string,
    name: string,
    who: string,
    work: (file: string) => Promise<boolean>,
  ): Promise<Changed> {
    const { board, router, store } = this.#parts;
    return this.#audited(action, name, who, () =>
      this.#inTurn(name, async () => {
        const file = (await board.get(name))?.file;
        const known = file !== undefined || router.isDisabled(name) || store.previous(name) !== undefined;
        if (!known)
          throw new SluiceError('SLUICE_ADMIN_PLUGIN', `there is no plugin ${JSON.stringify(name)}`);
        return work(file ?? `${name}.wasm`);
      }),
    );
  }

  async #audited(
    action: string,
    plugin: string,
    who: string,
    work: () => Promise<Changed>,
  ): Promise<Changed> {
    const { audit } = this.#parts;
    try {
      const changed = await work();
      const version = changed.plugin?.version;
      const outcome = changed.status === 202 ? 'pending' : 'ok';
      await audit.record({ who, action, plugin, outcome, ...(version === undefined ? {} : { version }) });
      return changed;
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      await audit.record({ who, action, plugin, outcome: code, detail: message });
      throw thrown;
    }
  }

  /** Waits for its turn and then for what becomes of it, but not for ever. */
  async #inTurn(name: string, work: () => Promise<boolean>): Promise<Changed> {
    if (this.#count >= MOST_CHANGES) {
      throw new SluiceError('SLUICE_ADMIN_BUSY', `${MOST_CHANGES} changes are under way`);
    }
    this.#count++;
    const done = Promise.all([this.#last, this.#kept])
      .then(work)
      .finally(() => this.#count--);
    this.#last = done.catch(() => {});
    const created = await within(ANSWER_MS, done);
    await this.settled();
    const plugin = await this.#parts.board.get(name);
    return { status: created === undefined ? 202 : created ? 201 : 200, plugin };
  }
}
