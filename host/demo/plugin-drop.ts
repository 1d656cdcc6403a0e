import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendManifest, type Manifest, readManifest, SluiceError } from '../../runtime/index.js';
import { withBody } from './wasm-body.js';

/** `unreachable`: what a failed assertion compiles to. */
const TRAP = Uint8Array.of(0, 0x00, 0x0b);
/** `loop br 0 end unreachable`. */
const ENDLESS = Uint8Array.of(0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x00, 0x0b);

/** A file that went into the folder, and what it is, for people. */
export interface Dropped {
  readonly what: string;
}

/** Puts files into the plugin folder as a user would: good ones of the next version, and bad ones. */
export class PluginDrop {
  readonly #folder: string;
  readonly #file: string;
  readonly #whole: Uint8Array;
  readonly #code: Uint8Array;
  readonly #manifest: Omit<Manifest, 'sha256' | 'abi'>;
  #minor: number;
  #break = 0;

  /** @throws SluiceError SLUICE_MANIFEST_MISSING, and those of `readManifest` */
  constructor(folder: string, file: string, bytes: Uint8Array) {
    const found = readManifest(bytes);
    if (found === undefined) throw new SluiceError('SLUICE_MANIFEST_MISSING', `${file} carries no manifest`);
    const { sha256: _, abi: __, ...manifest } = found.manifest;
    this.#folder = folder;
    this.#file = file;
    this.#whole = bytes;
    this.#code = bytes.subarray(0, found.end);
    this.#manifest = manifest;
    this.#minor = Number(manifest.version.split('.')[1]);
  }

  /** The plugin under its next version number. */
  async upgrade(): Promise<Dropped> {
    const version = this.#nextVersion();
    await this.#put(this.#packed(this.#code, version));
    return { what: `version ${version} goes into the folder` };
  }

  /** Another bad file each time. */
  async spoil(): Promise<Dropped> {
    const kinds = [
      () => this.#garbage(),
      () => this.#truncated(),
      () => this.#tampered(),
      () => this.#mistake('traps when it starts', 'configure', TRAP),
      () => this.#mistake('never ends its start', 'configure', ENDLESS),
      () => this.#mistake('starts well and traps on every frame', 'convert', TRAP),
    ];
    const made = (kinds[this.#break++ % kinds.length] as (typeof kinds)[number])();
    await this.#put(made.bytes);
    return { what: made.what };
  }

  #garbage(): { what: string; bytes: Uint8Array } {
    return { what: 'a text file with the name of a plugin', bytes: Buffer.from('This is no plugin.\n') };
  }

  #truncated(): { what: string; bytes: Uint8Array } {
    const half = this.#whole.length >> 1;
    return { what: `a copy that ended after ${half} bytes`, bytes: this.#whole.subarray(0, half) };
  }

  #tampered(): { what: string; bytes: Uint8Array } {
    const bytes = Uint8Array.from(this.#whole);
    const middle = this.#code.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 1;
    return { what: 'a copy with one bit turned over', bytes };
  }

  #mistake(what: string, name: string, body: Uint8Array): { what: string; bytes: Uint8Array } {
    const version = this.#nextVersion();
    const bytes = this.#packed(withBody(this.#code, name, body), version);
    return { what: `version ${version}, which ${what}`, bytes };
  }

  #nextVersion(): string {
    const [major, , patch] = this.#manifest.version.split('.');
    this.#minor += 1;
    return `${major}.${this.#minor}.${patch}`;
  }

  #packed(code: Uint8Array, version: string): Uint8Array {
    const sha256 = createHash('sha256').update(code).digest('hex');
    return appendManifest(code, { ...this.#manifest, version }, sha256);
  }

  /** Whole or not at all: written beside it under a name that is not looked at, then renamed. */
  async #put(bytes: Uint8Array): Promise<void> {
    const beside = join(this.#folder, `.${this.#file}.new`);
    await writeFile(beside, bytes);
    await rename(beside, join(this.#folder, this.#file));
  }
}
