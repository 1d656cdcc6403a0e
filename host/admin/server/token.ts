import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../../runtime/index.js';

/** RFC 6750, 2.1, and long enough not to be guessed. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,256}=*$/;
const RANDOM_BYTES = 32;

/** What a request has to carry. Only its hash is kept, so that comparing takes the same time for every guess. */
export class Token {
  readonly #hash: Buffer;

  constructor(text: string) {
    this.#hash = sha256(text);
  }

  /** True for `Bearer TOKEN`; the scheme in any case. Source: RFC 9110, 11.1; RFC 6750, 2.1. */
  accepts(authorization: string | undefined): boolean {
    const given = /^bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
    // A hash is made in both cases: how long this takes says nothing.
    return timingSafeEqual(sha256(given ?? ''), this.#hash) && given !== undefined;
  }
}

export interface StoredToken {
  readonly text: string;
  readonly file: string;
  /** True: it was made now, and the user has not seen it. */
  readonly fresh: boolean;
}

/**
 * The token in `folder`; made at random if there is none, for this user's eyes only (mode 0600).
 * @throws SluiceError SLUICE_ADMIN_TOKEN_FILE
 */
export async function storedToken(folder: string): Promise<StoredToken> {
  const file = join(folder, 'admin-token');
  try {
    const known = await readToken(file);
    if (known !== undefined) return { text: known, file, fresh: false };
    const text = randomBytes(RANDOM_BYTES).toString('base64url');
    await mkdir(folder, { recursive: true });
    if (await writeOnce(file, `${text}\n`)) return { text, file, fresh: true };
    return { text: (await readToken(file)) ?? text, file, fresh: false };
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError('SLUICE_ADMIN_TOKEN_FILE', `${file}: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}

async function readToken(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  if (TOKEN.test(text)) return text;
  throw new SluiceError('SLUICE_ADMIN_TOKEN_FILE', `${file} holds no token of 16 to 256 characters`);
}

/** Whole or not at all, and never over another's: false if the file is there already. */
async function writeOnce(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await using handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await link(temporary, file);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
