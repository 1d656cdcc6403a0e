import { isLoopback } from '../admin/loopback.js';
import { LARGEST_MESSAGE } from '../sources/mqtt/config.js';
import type { ServerTlsConfig } from '../sources/serve/server-certificate.js';
import type { TunnelConfig } from '../sources/tunnel/tunnel-config.js';
import type { Path } from './problem.js';
import type { Reader } from './reader.js';
import type { TunnelInput } from './schema-tunnel.js';

export function normaliseTunnel(input: TunnelInput, path: Path, read: Reader): TunnelConfig {
  const at = (key: string): Path => [...path, key];
  const { host = '127.0.0.1', port = 9000, tls, token } = input;
  const maxFrame = read.size(input.maxFrame, at('maxFrame'), { least: 1024, most: LARGEST_MESSAGE });
  const keepAliveMs = read.duration(input.keepAlive, at('keepAlive'), { least: 100 });
  const memory = read.size(input.memory, at('memory'), { least: 65_536 });
  if (!isLoopback(host) && token === undefined && tls?.ca === undefined) {
    const what = 'whoever reaches this address can send frames: set `token`, or `tls` with `ca`';
    read.warning(at('host'), what);
  }
  if (!isLoopback(host) && token !== undefined && tls === undefined)
    read.warning(at('token'), 'goes over the network in the clear: set `tls`');
  return {
    host,
    port,
    ...(tls === undefined ? {} : { tls: serverTls(tls, read) }),
    ...(token === undefined ? {} : { token }),
    ...(input.window === undefined ? {} : { window: input.window }),
    ...(maxFrame === undefined ? {} : { maxFrame }),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    ...(input.connections === undefined ? {} : { connections: input.connections }),
    ...(input.connectionsPerPeer === undefined ? {} : { connectionsPerPeer: input.connectionsPerPeer }),
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    ...(memory === undefined ? {} : { memory }),
  };
}

/** Files as absolute names: they are read when the source is made, and whenever they change. */
function serverTls({ cert, key, ca }: NonNullable<TunnelInput['tls']>, read: Reader): ServerTlsConfig {
  return { cert: read.file(cert), key: read.file(key), ...(ca === undefined ? {} : { ca: read.file(ca) }) };
}
