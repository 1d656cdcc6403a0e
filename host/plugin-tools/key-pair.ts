import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../runtime/index.js';
import { publicKeyOf } from '../plugins/signing/public-key.js';

export interface WrittenPair {
  /** Id of the key. */
  readonly id: string;
  /** PKCS #8 in PEM, mode 0600. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicKey: string;
}

/**
 * Makes an Ed25519 key and writes NAME.key and NAME.pub. No file is ever overwritten.
 * @throws SluiceError SLUICE_KEY_EXISTS, SLUICE_KEY_INVALID if it cannot be written
 */
export async function writeKeyPair(folder: string, name: string): Promise<WrittenPair> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const written = {
    id: publicKeyOf(publicKey).id,
    privateKey: join(folder, `${name}.key`),
    publicKey: join(folder, `${name}.pub`),
  };
  await mkdir(folder, { recursive: true }).catch(thrown => cannotWrite(folder, thrown));
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeNew(written.privateKey, pem as string, 0o600);
  try {
    await writeNew(written.publicKey, publicKey.export({ type: 'spki', format: 'pem' }) as string, 0o644);
  } catch (thrown) {
    await rm(written.privateKey, { force: true });
    throw thrown;
  }
  return written;
}

/**
 * A private key to sign with.
 * @returns `open`: others than the owner may read the file
 * @throws SluiceError SLUICE_KEY_INVALID
 */
export async function readPrivateKey(file: string): Promise<{ key: KeyObject; open: boolean }> {
  try {
    await using handle = await open(file, 'r');
    const { mode } = await handle.stat();
    const key = createPrivateKey(await handle.readFile('utf8'));
    publicKeyOf(createPublicKey(key));
    return { key, open: process.platform !== 'win32' && (mode & 0o077) !== 0 };
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw invalid(file, thrown.message, thrown);
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ERR_MISSING_PASSPHRASE')
      throw invalid(file, 'holds a key under a passphrase, which is not supported', thrown);
    const isOther = code?.startsWith('ERR_OSSL') || (await isPublic(file));
    throw invalid(file, isOther ? 'holds no private key in PEM' : message, thrown);
  }
}

async function isPublic(file: string): Promise<boolean> {
  return (await readFile(file, 'utf8').catch(() => '')).includes('-----BEGIN PUBLIC KEY-----');
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode, flush: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') cannotWrite(file, thrown);
    throw new SluiceError('SLUICE_KEY_EXISTS', `${file} is there already`, { cause: thrown });
  }
}

function cannotWrite(file: string, thrown: unknown): never {
  throw invalid(file, `cannot be written: ${(thrown as Error).message}`, thrown);
}

function invalid(file: string, why: string, cause: unknown): SluiceError {
  return new SluiceError('SLUICE_KEY_INVALID', `${file}: ${why}`, { cause });
}
