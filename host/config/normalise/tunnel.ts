import { isLoopback } from '../../admin/server/loopback.js';
import { LARGEST_MESSAGE } from '../../sources/mqtt/config.js';
import type { TunnelConfig } from '../../sources/tunnel/tunnel-config.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { TunnelInput } from '../schema/tunnel.js';
import { serverTls, warnOfOpenDoor } from './serve.js';

export function normaliseTunnel(input: TunnelInput, path: Path, read: Reader): TunnelConfig {
  const at = (key: string): Path => [...path, key];
  const { host = '127.0.0.1', port = 9000, tls, token } = input;
  const maxFrame = read.size(input.maxFrame, at('maxFrame'), { least: 1024, most: LARGEST_MESSAGE });
  const keepAliveMs = read.duration(input.keepAlive, at('keepAlive'), { least: 100 });
  const memory = read.size(input.memory, at('memory'), { least: 65_536 });
  if (!isLoopback(host)) warnOfOpenDoor({ token, tls }, path, read);
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
    ...(input.totalRate === undefined ? {} : { totalRate: input.totalRate }),
    ...(memory === undefined ? {} : { memory }),
  };
}
