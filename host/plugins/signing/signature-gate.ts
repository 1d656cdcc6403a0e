import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import type { PluginsConfig } from '../../config/config.js';
import { KeyFolder } from './key-folder.js';
import { type FoundSignatures, notCovered, type Vouched, vouch } from './vouch.js';

/** The file in the data folder that is there once plugins have to be signed. */
export function inUseMarker(data: string): string {
  return join(data, 'signatures-in-use');
}

/** What is known of the signature of a file, for who shows it. */
export interface SignatureView {
  readonly state: 'off' | Vouched['state'];
  readonly key?: string;
  /** Reads behind the name of the file. */
  readonly why?: string;
}

/** What was read of a file, as far as its signature goes. Kept, so that it can be judged again. */
export interface Signed {
  readonly file: string;
  /** SHA-256 of the whole file. */
  readonly fileHash: Buffer;
  /** The manifest is part of the file, so that a signature covers it. */
  readonly embedded: boolean;
  readonly signatures: FoundSignatures;
}

export type Standing =
  | { readonly may: 'run' }
  | { readonly may: 'not run' | 'not be loaded'; readonly error: SluiceError };

export interface SignatureGateParts {
  readonly rule: Pick<PluginsConfig, 'signatures' | 'keys'>;
  /** The data folder: that signatures were in use here outlives a restart. */
  readonly data: string;
  /** Other keys are trusted or revoked than before. */
  readonly changed: () => void;
  readonly report: (error: SluiceError, where: Readonly<Record<string, string>>) => void;
}

/**
 * Who may put plugins here: holds the trusted keys against what is signed, by the rule of the configuration. Under
 * `auto` a signature is asked for from the first key on, also when the keys are gone one day: a folder that was not
 * mounted must not open the gate.
 */
export class SignatureGate {
  readonly #parts: SignatureGateParts;
  readonly #keys: KeyFolder;
  #wereInUse = false;
  #saidMissing = false;
  #marked: Promise<void> = Promise.resolve();

  constructor(parts: SignatureGateParts) {
    this.#parts = parts;
    this.#keys = new KeyFolder(parts.rule.keys, {
      changed: () => this.#changed(),
      problem: (file, error) => parts.report(error, { file }),
    });
  }

  /** Before the first plugin is judged. */
  async start(): Promise<void> {
    if (!this.looks) return;
    this.#wereInUse = await access(this.#marker).then(
      () => true,
      () => false,
    );
    await this.#keys.start();
  }

  async stop(): Promise<void> {
    if (this.looks) await this.#keys.stop();
    await this.#marked;
  }

  /** False: nobody asks for signatures, and files beside a plugin are not read for them. */
  get looks(): boolean {
    return this.#parts.rule.signatures !== 'off';
  }

  /** A plugin without the signature of a trusted key is refused. */
  get required(): boolean {
    const { signatures } = this.#parts.rule;
    return signatures === 'require' || (signatures === 'auto' && (this.#keys.ring.inUse || this.#wereInUse));
  }

  view(signed: Signed): SignatureView {
    if (!this.looks) return { state: 'off' };
    const vouched = this.#vouch(signed);
    return vouched.state === 'signed' ? vouched : { state: vouched.state, why: vouched.why };
  }

  /** Why this may not be loaded; undefined: it may. Under `warn` it is reported here, and may. */
  refusal(signed: Signed): SluiceError | undefined {
    if (!this.looks) return undefined;
    const vouched = this.#vouch(signed);
    if (vouched.state === 'signed') return undefined;
    const { rule, report } = this.#parts;
    const say = (rest: string) => new SluiceError(vouched.code, `${signed.file} ${vouched.why}${rest}`);
    if (this.required) return say(`; ${this.#whyRequired()}`);
    if (rule.signatures === 'warn')
      report(say('; it is loaded, as plugins.signatures is warn'), { file: signed.file });
    else if (!this.#saidMissing) {
      this.#saidMissing = true;
      report(say(`, and is loaded: there is no key in ${rule.keys} yet, so no signature is asked for`), {});
    }
    return undefined;
  }

  /**
   * Whether what runs may go on. That a key is revoked stops it. That a key is gone, or the first one has come, is no
   * word against what was taken before: it goes on, and is refused when it is loaded the next time.
   */
  standing(signed: Signed): Standing {
    if (!this.required) return { may: 'run' };
    const vouched = this.#vouch(signed);
    if (vouched.state === 'signed') return { may: 'run' };
    const { code, why, state } = vouched;
    const subject = `${signed.file} ${why}`;
    if (state === 'revoked') return { may: 'not run', error: new SluiceError(code, subject) };
    const message = `${subject}; what runs of it goes on, and is refused when it is loaded the next time`;
    return { may: 'not be loaded', error: new SluiceError(code, message) };
  }

  #vouch({ fileHash, signatures, embedded }: Signed): Vouched {
    return embedded ? vouch(fileHash, signatures, this.#keys.ring) : notCovered();
  }

  #whyRequired(): string {
    const { signatures, keys } = this.#parts.rule;
    if (signatures === 'require') return 'plugins.signatures is require';
    return this.#keys.ring.inUse
      ? `there are keys in ${keys}, so a signature is asked for`
      : `there were keys in ${keys} before, so a signature is asked for`;
  }

  #changed(): void {
    const { rule, changed } = this.#parts;
    if (rule.signatures === 'auto' && this.#keys.ring.inUse && !this.#wereInUse) {
      this.#wereInUse = true;
      this.#marked = this.#mark();
    }
    this.#sayMissingKeys();
    changed();
  }

  get #marker(): string {
    return inUseMarker(this.#parts.data);
  }

  async #mark(): Promise<void> {
    try {
      await mkdir(this.#parts.data, { recursive: true });
      const text = `Since ${new Date().toISOString()} plugins have to be signed here (plugins.signatures: auto).\n`;
      await writeFile(this.#marker, text, { flag: 'wx' });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return;
      const { message } = faultOf(thrown);
      this.#parts.report(new SluiceError('SLUICE_ADMIN_STORE', message), {});
    }
  }

  #sayMissingKeys(): void {
    if (!this.required || this.#keys.ring.trusted.size > 0) return;
    const message = `no trusted key in ${this.#parts.rule.keys}, and ${this.#whyRequired()}: every plugin is refused`;
    this.#parts.report(new SluiceError('SLUICE_KEY_MISSING', message), {});
  }
}
