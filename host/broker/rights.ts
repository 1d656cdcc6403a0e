import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BrokerConfig } from './broker-config.js';

/** Who may connect to the embedded broker. */
export class Rights {
  /** With these the gateway itself comes in; of this process only. Undefined: nobody is asked. */
  readonly own: { readonly username: string; readonly password: string } | undefined;
  readonly #passwords = new Map<string, Buffer>();
  readonly #token: Buffer | undefined;

  constructor({ users, token }: Pick<BrokerConfig, 'users' | 'token'>) {
    for (const [name, password] of Object.entries(users ?? {})) this.#passwords.set(name, sha256(password));
    this.#token = token === undefined ? undefined : sha256(token);
    if (this.#passwords.size === 0 && this.#token === undefined) return;
    this.own = { username: '$sluice', password: randomBytes(24).toString('hex') };
    this.#passwords.set(this.own.username, sha256(this.own.password));
  }

  admits(username: string | undefined, password: Uint8Array | undefined): boolean {
    if (this.own === undefined) return true;
    const given = sha256(password ?? '');
    const wanted = username === undefined ? undefined : this.#passwords.get(username);
    // Both are looked at, so that the time tells nothing of names.
    const byName = timingSafeEqual(given, wanted ?? NONE) && wanted !== undefined;
    const byToken = timingSafeEqual(given, this.#token ?? NONE) && this.#token !== undefined;
    return (byName || byToken) && password !== undefined;
  }
}

const NONE = Buffer.alloc(32);

function sha256(text: string | Uint8Array): Buffer {
  return createHash('sha256').update(text).digest();
}
