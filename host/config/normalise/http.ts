import { isLoopback } from '../../admin/server/loopback.js';
import type { HttpConfig } from '../../sources/http/http-config.js';
import { LARGEST_MESSAGE } from '../../sources/mqtt/config.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { HttpInput } from '../schema/http.js';
import { serverTls, warnOfOpenDoor } from './serve.js';

export function normaliseHttp(input: HttpInput, path: Path, read: Reader): HttpConfig {
  const at = (key: string): Path => [...path, key];
  const { host = '127.0.0.1', port, tls, token } = input;
  const maxBody = read.size(input.maxBody, at('maxBody'), { least: 1, most: LARGEST_MESSAGE });
  const timeoutMs = read.duration(input.timeout, at('timeout'), { least: 100 });
  const memory = read.size(input.memory, at('memory'), { least: 65_536 });
  if (port === undefined) {
    for (const key of ['host', 'tls'] as const)
      if (input[key] !== undefined)
        read.error(at(key), 'goes with `port`: without it requests come to the admin server');
    for (const key of ['connections', 'connectionsPerPeer'] as const)
      if (input[key] !== undefined)
        read.error(at(key), 'goes with `port`: without it the connections are those of the admin server');
    if (token === undefined)
      read.error(path, 'has no `port`, so requests come to the admin server, and then a `token` is needed');
  } else if (!isLoopback(host)) warnOfOpenDoor({ token, tls }, path, read);
  return {
    ...(port === undefined
      ? {}
      : { listen: { host, port, ...(tls === undefined ? {} : { tls: serverTls(tls, read) }) } }),
    ...(token === undefined ? {} : { token }),
    ...(maxBody === undefined ? {} : { maxBody }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(input.connections === undefined ? {} : { connections: input.connections }),
    ...(input.connectionsPerPeer === undefined ? {} : { connectionsPerPeer: input.connectionsPerPeer }),
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    ...(input.totalRate === undefined ? {} : { totalRate: input.totalRate }),
    ...(memory === undefined ? {} : { memory }),
  };
}
