import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import { type Found, isGone, lookAtFile, readFoundText } from '../found.js';
import { KEY_MAX_BYTES, type PublicKey, parsePublicKey } from './public-key.js';

/** The list of revoked keys may have some thousand lines. */
const LIST_MAX_BYTES = 256 * 1024;
/** The file or folder in which revoked keys stand; a text editor likes to add the ending. */
const REVOKED = ['revoked', 'revoked.txt'];

export interface TrustedKey extends PublicKey {
  /** In the folder of keys. */
  readonly file: string;
}

/** The keys that a gateway knows, at one moment. */
export interface KeyRing {
  /** By id; none of them is revoked. */
  readonly trusted: ReadonlyMap<string, TrustedKey>;
  /** Ids, each with the file that says so. */
  readonly revoked: ReadonlyMap<string, string>;
  /** Somebody has put keys here, usable or not: what is not signed is no oversight any more. */
  readonly inUse: boolean;
  /** Files that do not say what they should. */
  readonly problems: readonly KeyProblem[];
}

export interface KeyProblem {
  readonly file: string;
  readonly error: SluiceError;
}

/**
 * Reads a folder of keys: `*.pub` and `*.pem`, each with one public key; `revoked`, a folder of the same, or a list of
 * key ids, one a line (also `revoked.txt`). A folder that is not there holds no keys.
 * @throws SluiceError SLUICE_KEY_FOLDER if there may be more to know than could be read
 */
export async function readKeyRing(folder: string): Promise<KeyRing> {
  const reading = new Reading(folder);
  await reading.all();
  return reading.ring();
}

class Reading {
  readonly #folder: string;
  readonly #keys = new Map<string, TrustedKey>();
  readonly #revoked = new Map<string, string>();
  readonly #problems: KeyProblem[] = [];
  #root = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  ring(): KeyRing {
    const trusted = new Map([...this.#keys].filter(([id]) => !this.#revoked.has(id)));
    const inUse = this.#keys.size + this.#revoked.size + this.#problems.length > 0;
    return { trusted, revoked: this.#revoked, inUse, problems: this.#problems };
  }

  async all(): Promise<void> {
    let names: string[];
    try {
      this.#root = await realpath(this.#folder);
      names = (await readdir(this.#root)).sort();
    } catch (thrown) {
      if (isGone(thrown)) return;
      throw unreadable((thrown as Error).message, thrown);
    }
    // What is revoked is read last: a key that is moved there meanwhile is missed in neither place.
    for (const name of names.filter(isKeyName)) await this.#key(name, key => this.#keys.set(key.id, key));
    for (const name of names.filter(name => REVOKED.includes(name))) await this.#revocations(name);
  }

  async #key(name: string, take: (key: TrustedKey) => void): Promise<void> {
    try {
      if (name.endsWith('.key')) {
        throw new SluiceError(
          'SLUICE_KEY_INVALID',
          'is named like a private key, which stays with who signs',
        );
      }
      const text = await this.#text(name, KEY_MAX_BYTES);
      if (text !== undefined) take({ ...parsePublicKey(text), file: name });
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      // A key that cannot be read is not trusted; that one is revoked is not to be missed.
      if (code === 'SLUICE_KEY_FOLDER' && name.includes('/')) throw thrown;
      const text = code === 'SLUICE_KEY_INVALID' ? `${name} ${message}` : message;
      this.#problems.push({ file: name, error: new SluiceError(code, text, { cause: thrown }) });
    }
  }

  async #revocations(name: string): Promise<void> {
    if (await this.#isFolder(name)) {
      const names = await readdir(join(this.#root, name)).catch(thrown => {
        throw unreadable((thrown as Error).message, thrown);
      });
      for (const each of names.sort().filter(isKeyName))
        await this.#key(`${name}/${each}`, ({ id, file }) => this.#revoked.set(id, file));
      return;
    }
    const text = await this.#text(name, LIST_MAX_BYTES).catch(thrown => {
      throw thrown.code === 'SLUICE_KEY_INVALID' ? unreadable(`${name} ${thrown.message}`, thrown) : thrown;
    });
    for (const [index, line] of (text ?? '').split('\n').entries()) {
      const id = line.replace(/#.*/, '').trim().toLowerCase();
      if (/^[0-9a-f]{16}$/.test(id)) this.#revoked.set(id, name);
      else if (id !== '') {
        const message = `${name} has no key id (16 hex digits) in line ${index + 1}`;
        this.#problems.push({ file: name, error: new SluiceError('SLUICE_KEY_INVALID', message) });
      }
    }
  }

  /** Undefined: it is gone. */
  async #text(name: string, most: number): Promise<string | undefined> {
    const found: Found | SluiceError | undefined = await lookAtFile(this.#root, name);
    if (found instanceof SluiceError) throw unreadable(found.message, found);
    if (found === undefined) return undefined;
    if (found.size > most) {
      throw new SluiceError('SLUICE_KEY_INVALID', `has ${found.size} bytes, the ceiling is ${most}`);
    }
    const text = await readFoundText(name, found).catch(thrown => {
      throw unreadable((thrown as Error).message, thrown);
    });
    if (text === undefined) throw unreadable(`${name} is being changed`, undefined);
    return text;
  }

  async #isFolder(name: string): Promise<boolean> {
    try {
      return (await stat(join(this.#root, name))).isDirectory();
    } catch (thrown) {
      if (isGone(thrown)) return false;
      throw unreadable((thrown as Error).message, thrown);
    }
  }
}

function isKeyName(name: string): boolean {
  return /^[^.].*\.(pub|pem|key)$/.test(name);
}

function unreadable(why: string, cause: unknown): SluiceError {
  return new SluiceError('SLUICE_KEY_FOLDER', `plugins.keys: ${why}`, { cause });
}
