import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { type Fault, SluiceError } from '../../../runtime/index.js';

/** Where certificate and key are; both are PEM files, as renewed ones come in files. */
export interface ServerTlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Given: only clients with a certificate of one of these authorities are let in. */
  readonly ca?: string | undefined;
}

export interface CertificateEvents {
  renewed(): void;
  failed(fault: Fault): void;
}

/**
 * The certificate of a server, read again when its files change. Open connections keep what they were made
 * with; new ones get the new one. Files that do not fit each other change nothing, and are said.
 */
export class ServerCertificate {
  readonly #config: ServerTlsConfig;
  readonly #where: string;
  #stamp = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param where for messages: the setting */
  constructor(config: ServerTlsConfig, where: string) {
    this.#config = config;
    this.#where = where;
  }

  /** What a server is made with. @throws SluiceError SLUICE_TLS_CERTIFICATE */
  load(): SecureContextOptions & { requestCert: boolean; rejectUnauthorized: boolean } {
    const stamp = this.#stampNow();
    const { cert, key, ca } = this.#config;
    try {
      const options = {
        cert: readFileSync(cert),
        key: readFileSync(key),
        ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
        minVersion: 'TLSv1.2' as const,
      };
      // Tells at once whether they are certificates at all and fit each other.
      createSecureContext(options);
      this.#stamp = stamp;
      return { ...options, requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined };
    } catch (thrown) {
      const message = `${this.#where}: ${cert} and ${key} cannot be used: ${(thrown as Error).message}`;
      throw new SluiceError('SLUICE_TLS_CERTIFICATE', message, { cause: thrown });
    }
  }

  /** Looks at the files from now on. @param everyMs so often */
  watch(
    server: { setSecureContext(options: SecureContextOptions): void },
    events: CertificateEvents,
    everyMs: number,
  ): void {
    let refused = '';
    this.#timer = setInterval(() => {
      const stamp = this.#stampNow();
      if (stamp === this.#stamp || stamp === refused) return;
      try {
        server.setSecureContext(this.load());
        events.renewed();
      } catch (thrown) {
        // Once for each state of the files: they may be in the middle of being changed.
        refused = stamp;
        const { message } = thrown as Error;
        events.failed({ code: 'SLUICE_TLS_CERTIFICATE', message: `${message}; the one before serves on` });
      }
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #stampNow(): string {
    const { cert, key, ca } = this.#config;
    return [cert, key, ca ?? ''].map(stampOf).join(' ');
  }
}

/** Never throws: why a file cannot be looked at is a state of it like another, and `load` says it. */
function stampOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? '-' : `${found.ino}.${found.size}.${found.mtimeMs}`;
  } catch (thrown) {
    return String((thrown as NodeJS.ErrnoException).code);
  }
}

/** What OpenSSL finds most where somebody speaks something else. */
const REASONS: Readonly<Record<string, string>> = {
  'http request': 'it speaks HTTP without TLS',
  'wrong version number': 'it speaks something else than TLS',
  'peer did not return a certificate': 'it has no certificate, and one is asked for (`tls.ca`)',
};

/** Why a client did not get through the handshake, without the places in OpenSSL's code. */
export function handshakeDefect(error: Error & { readonly reason?: string }): string {
  const { reason, message } = error;
  return reason === undefined ? message : (REASONS[reason] ?? reason);
}
