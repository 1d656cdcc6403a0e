import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { Fault } from '../../runtime/index.js';

/** PEM texts. */
export interface MqttTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  /** Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Where the texts came from; read again for each connection, as certificates are renewed in their files. */
  readonly files?: Readonly<Partial<Record<Pem, string>>> | undefined;
}

export type Pem = 'ca' | 'cert' | 'key';

/**
 * What a TLS connection to a broker is made with. Files are read again for each connection, so a renewed certificate
 * is used from the next one on; one that cannot be used changes nothing.
 */
export class ClientTls {
  readonly #servername: string | undefined;
  readonly #rejectUnauthorized: boolean;
  readonly #files: Readonly<Partial<Record<Pem, string>>>;
  #pems: Partial<Record<Pem, string>>;

  constructor(host: string, tls: MqttTls) {
    // RFC 6066 §3: an IP address is not a server name.
    this.#servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
    this.#rejectUnauthorized = tls.rejectUnauthorized ?? true;
    this.#files = tls.files ?? {};
    this.#pems = Object.fromEntries(
      (['ca', 'cert', 'key'] as const).flatMap(pem => (tls[pem] === undefined ? [] : [[pem, tls[pem]]])),
    );
  }

  get options(): ConnectionOptions {
    return {
      rejectUnauthorized: this.#rejectUnauthorized,
      ...(this.#servername === undefined ? {} : { servername: this.#servername }),
      ...this.#pems,
    };
  }

  /** Reads the files. Gives why what is there cannot be used; then what was there before is. */
  refresh(): Fault | undefined {
    const files = Object.entries(this.#files) as [Pem, string][];
    if (files.length === 0) return undefined;
    try {
      const read = files.map(([pem, file]) => [pem, readFileSync(file, 'utf8')] as const);
      const pems = { ...this.#pems, ...Object.fromEntries(read) };
      createSecureContext(pems);
      this.#pems = pems;
      return undefined;
    } catch (thrown) {
      const named = files.map(([, file]) => file).join(', ');
      const message = `${named} cannot be used: ${(thrown as Error).message}; what was read before is used`;
      return { code: 'SLUICE_TLS_CERTIFICATE', message };
    }
  }
}

/** How a handshake ends at a port that does not speak TLS: closed, or answered with something else. */
const NO_TLS = /^(ECONNRESET|EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/;

/** Why there is no TLS connection, in words for who wrote the address. */
export function whyNoTls({ message, code = '' }: Error & { readonly code?: string }): string {
  if (!NO_TLS.test(code)) return message;
  return `there was no TLS handshake, as at a port without TLS: is it mqtt:// instead of mqtts://? (${message})`;
}
