import { isIP } from 'node:net';
import { isLoopback } from '../../admin/server/loopback.js';
import { checkReceivedTopic, TEXT } from '../../protocols/mqtt-wire/text.js';
import type {
  CoapClientConfig,
  CoapDeviceConfig,
  CoapTarget,
} from '../../sources/coap-client/client-config.js';
import { partsOf } from '../../sources/coap-client/reading.js';
import { LARGEST_MESSAGE } from '../../sources/mqtt/config.js';
import { isPrivate } from '../private-address.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { CoapInput } from '../schema/coap.js';

/** Source: RFC 7252, 5.10: the longest value of Uri-Path and Uri-Query. */
const LONGEST_PART = 255;

export function normaliseCoapClient(input: CoapInput, path: Path, read: Reader): CoapClientConfig {
  const at = (key: string): Path => [...path, key];
  const maxBody = read.size(input.maxBody, at('maxBody'), { least: 16, most: LARGEST_MESSAGE });
  const timeoutMs = read.duration(input.timeout, at('timeout'), { least: 100 });
  const reconnect = read.reconnect(input.reconnect, at('reconnect'));
  if (input.poll === undefined && input.observe === undefined)
    read.error(path, 'says of no path that it is read: `poll`, `observe` or both are needed', { at: 'key' });
  return {
    devices: devicesOf(input, path, read),
    poll: (input.poll ?? []).flatMap(({ every, ...one }, index) => {
      const here = [...at('poll'), index];
      const target = targetOf(one, here, read);
      const everyMs = read.duration(every, [...here, 'every'], { least: 1 });
      return target === undefined || everyMs === undefined ? [] : [{ ...target, everyMs }];
    }),
    observe: (input.observe ?? []).flatMap(
      (one, index) => targetOf(one, [...at('observe'), index], read) ?? [],
    ),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(input.inFlight === undefined ? {} : { inFlight: input.inFlight }),
    ...(maxBody === undefined ? {} : { maxBody }),
    ...(reconnect === undefined ? {} : { reconnect }),
  };
}

function devicesOf({ devices = [] }: CoapInput, path: Path, read: Reader): CoapDeviceConfig[] {
  const seen = new Set<string>();
  return devices.map(({ name, host, port = 5683 }, index) => {
    const label = name ?? `${host}:${port}`;
    if (seen.has(label)) read.error([...path, 'devices', index], `"${label}" stands here twice`);
    seen.add(label);
    if (isIP(host) !== 0 && !isLoopback(host) && !isPrivate(host)) {
      const what =
        'is no address of a private network, and CoAP here has no DTLS: whoever sits on the way can read and forge what is read there';
      read.warning([...path, 'devices', index, 'host'], what);
    }
    return { ...(name === undefined ? {} : { name }), host, port };
  });
}

function targetOf(
  { path: text, accept }: { path: string; accept?: number },
  at: Path,
  read: Reader,
): CoapTarget | undefined {
  const here = [...at, 'path'];
  let parts: ReturnType<typeof partsOf>;
  try {
    parts = partsOf(text);
  } catch {
    read.error(here, 'has a % that is not followed by two hexadecimal digits of UTF-8');
    return undefined;
  }
  const { segments, queries } = parts;
  if ([...segments, ...queries].some(part => Buffer.byteLength(part) > LONGEST_PART)) {
    read.error(here, `has a segment or query of more than ${LONGEST_PART} bytes`);
    return undefined;
  }
  const topic = Buffer.from(['x', ...segments].join('/'), 'utf8');
  if (checkReceivedTopic(topic, 0, topic.length) !== TEXT.ok) {
    read.error(here, 'gives no topic: it has +, # or NUL in it');
    return undefined;
  }
  return { path: text, ...(accept === undefined ? {} : { accept }) };
}
