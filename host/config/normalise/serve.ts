import type { ServerTlsConfig } from '../../sources/serve/server-certificate.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';

interface TlsInput {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

/** Files as absolute names: they are read when the source is made, and whenever they change. */
export function serverTls({ cert, key, ca }: TlsInput, read: Reader): ServerTlsConfig {
  return { cert: read.file(cert), key: read.file(key), ...(ca === undefined ? {} : { ca: read.file(ca) }) };
}

/** For a source that other machines reach: who may send, and who may listen in. */
export function warnOfOpenDoor(
  { token, tls }: { readonly token?: string | undefined; readonly tls?: TlsInput | undefined },
  path: Path,
  read: Reader,
): void {
  if (token === undefined && tls?.ca === undefined) {
    const what = 'whoever reaches this address can send frames: set `token`, or `tls` with `ca`';
    read.warning([...path, 'host'], what);
  }
  if (token !== undefined && tls === undefined)
    read.warning([...path, 'token'], 'goes over the network in the clear: set `tls`');
}
