import { isLoopback } from '../../admin/server/loopback.js';
import type { CoapConfig } from '../../sources/coap/coap-config.js';
import { LARGEST_MESSAGE } from '../../sources/mqtt/config.js';
import type { SourceConfig } from '../config.js';
import { isPrivate } from '../private-address.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { CoapInput } from '../schema/coap.js';
import { normaliseCoapClient } from './coap-client.js';

/** What only a server has, and what only reading has. */
const SERVING = [
  'host',
  'port',
  'withoutDtls',
  'rate',
  'totalRate',
  'memory',
  'bodies',
  'observers',
  'peerShare',
] as const;
const READING = ['poll', 'observe', 'inFlight', 'reconnect'] as const;

export function normaliseCoap(input: CoapInput, path: Path, read: Reader): SourceConfig {
  const isClient = input.devices !== undefined;
  for (const key of isClient ? SERVING : READING) {
    if (input[key] === undefined) continue;
    const what = isClient
      ? 'goes with a server, and a source with `devices` reads them'
      : 'goes with `devices`, which are not there: a source without them is a server';
    read.error([...path, key], what);
  }
  return isClient
    ? { coapClient: normaliseCoapClient(input, path, read) }
    : { coap: normaliseServer(input, path, read) };
}

function normaliseServer(input: CoapInput, path: Path, read: Reader): CoapConfig {
  const at = (key: string): Path => [...path, key];
  const { host = '127.0.0.1', port = 5683, withoutDtls = false } = input;
  const maxBody = read.size(input.maxBody, at('maxBody'), { least: 16, most: LARGEST_MESSAGE });
  const timeoutMs = read.duration(input.timeout, at('timeout'), { least: 100 });
  const memory = read.size(input.memory, at('memory'), { least: 65_536 });
  if (!isLoopback(host) && !isPrivate(host) && !withoutDtls) {
    const what =
      'is an address that others may reach, and there is no DTLS here: name an address of this machine in a private network, or set `withoutDtls: true`';
    read.error(at('host'), what);
  } else if (!isLoopback(host)) {
    read.warning(
      at('host'),
      'whoever reaches this address can send frames and read them: CoAP here has no DTLS',
    );
  }
  return {
    host: host === 'localhost' ? '127.0.0.1' : host,
    port,
    ...(maxBody === undefined ? {} : { maxBody }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    ...(input.totalRate === undefined ? {} : { totalRate: input.totalRate }),
    ...(memory === undefined ? {} : { memory }),
    ...(input.bodies === undefined ? {} : { bodies: input.bodies }),
    ...(input.observers === undefined ? {} : { observers: input.observers }),
    ...(input.peerShare === undefined ? {} : { peerShare: input.peerShare }),
  };
}
