import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BrokerConfig } from './broker-config.js';

/** Who may connect to the embedded broker. */
export class Rights {
  /** With these the gateway itself comes in; of this process only. Undefined: nobody is asked. */
  readonly own: { readonly username: string; readonly password: string } | undefined;
  /** Whoever got to the door outside is let in; with a certificate if those are asked for. */
  readonly #isOpen: boolean;
  readonly #passwords = new Map<string, Buffer>();
  readonly #token: Buffer | undefined;

  constructor({ users, token, tls }: Pick<BrokerConfig, 'users' | 'token' | 'tls'>) {
    for (const [name, password] of Object.entries(users ?? {})) this.#passwords.set(name, sha256(password));
    this.#token = token === undefined ? undefined : sha256(token);
    this.#isOpen = this.#passwords.size === 0 && this.#token === undefined;
    // With TLS there is a door inside that asks for no certificate: it is for the gateway alone.
    if (this.#isOpen && tls === undefined) return;
    this.own = { username: '$sluice', password: randomBytes(24).toString('hex') };
    this.#passwords.set(this.own.username, sha256(this.own.password));
  }

  /** @param isInside it came by the door of the gateway itself */
  admits(username: string | undefined, password: Uint8Array | undefined, isInside: boolean): boolean {
    if (this.own === undefined || (this.#isOpen && !isInside)) return true;
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
