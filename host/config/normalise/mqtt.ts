import type { MqttTls, Pem } from '../../mqtt/client-tls.js';
import type { MqttConnection } from '../../mqtt/connection.js';
import { covers, filterDefect } from '../../protocols/mqtt-wire/topic-filter.js';
import type { MqttSinkConfig } from '../../sinks/mqtt/config.js';
import { LARGEST_MESSAGE, type MqttSourceConfig } from '../../sources/mqtt/config.js';
import type { Path } from '../problem.js';
import { isPemText, type Reader } from '../reader.js';
import type { MqttSinkInput, MqttSourceInput } from '../schema/mqtt.js';

export function normaliseMqttSink(input: MqttSinkInput, path: Path, read: Reader): MqttSinkConfig {
  const at = (...keys: string[]): Path => [...path, ...keys];
  const bytes = read.size(input.window?.bytes, at('window', 'bytes'), { least: 1024, most: 2 ** 31 - 1 });
  if (input.prefix !== undefined) checkTopic(input.prefix, at('prefix'), read);
  return {
    ...normaliseConnection(input, path, read),
    qos: input.qos === 0 ? 0 : 1,
    ...(input.prefix === undefined ? {} : { prefix: input.prefix }),
    ...(input.window === undefined
      ? {}
      : {
          window: {
            ...(input.window.messages === undefined ? {} : { messages: input.window.messages }),
            ...(bytes === undefined ? {} : { bytes }),
          },
        }),
  };
}

export function normaliseMqttSource(input: MqttSourceInput, path: Path, read: Reader): MqttSourceConfig {
  const at = (...keys: string[]): Path => [...path, ...keys];
  for (const [index, topic] of input.topics.entries()) {
    const defect = filterDefect(topic);
    if (defect !== undefined) read.error([...path, 'topics', index], defect);
    const wider = input.topics.find((other, place) => place !== index && covers(other, topic));
    if (wider === undefined) continue;
    const what = `lies within "${wider}": most brokers send such a message once for each of them, and it comes twice`;
    read.warning([...path, 'topics', index], what);
  }
  const most = { least: 1, most: LARGEST_MESSAGE };
  const maxMessage = read.size(input.maxMessage, at('maxMessage'), most);
  // The wire has four bytes of seconds, and the largest of them says "for ever"; a Duration ends long before.
  const expiry = read.duration(input.sessionExpiry, at('sessionExpiry'), { least: 1000 });
  if (expiry !== undefined && input.clientId === undefined)
    read.error(at('sessionExpiry'), 'is only used with a clientId');
  return {
    ...normaliseConnection(input, path, read),
    topics: input.topics,
    qos: input.qos === 0 || input.qos === 2 ? input.qos : 1,
    ...(input.window === undefined ? {} : { window: input.window }),
    ...(maxMessage === undefined ? {} : { maxMessage }),
    ...(expiry === undefined ? {} : { sessionExpiryS: Math.round(expiry / 1000) }),
  };
}

/** What sinks and sources say in the same words. */
type ConnectionInput = Omit<MqttSinkInput, 'window' | 'prefix' | 'qos'>;

function normaliseConnection(input: ConnectionInput, path: Path, read: Reader): MqttConnection {
  const at = (...keys: string[]): Path => [...path, ...keys];
  const address = readAddress(input, path, read);
  const keepAlive = read.duration(input.keepAlive, at('keepAlive'), { least: 1000, most: 65_535_000 });
  const reconnect = read.reconnect(input.reconnect, at('reconnect'));
  if (input.will !== undefined) checkTopic(input.will.topic, at('will', 'topic'), read);
  if (input.tls !== undefined && input.url.startsWith('mqtt:'))
    read.error(at('tls'), 'is only used with mqtts://');
  return {
    ...address,
    version: input.version === 4 ? 4 : 5,
    ...(input.clientId === undefined ? {} : { clientId: input.clientId }),
    ...(keepAlive === undefined ? {} : { keepAliveS: Math.round(keepAlive / 1000) }),
    ...(input.will === undefined ? {} : { will: will(input.will) }),
    ...(input.tls === undefined ? {} : { tls: tls(input.tls, at('tls'), read) }),
    ...(reconnect === undefined ? {} : { reconnect }),
  };
}

type Address = Pick<MqttConnection, 'url' | 'username' | 'password'>;

/** Credentials are taken out of the address: the address is logged, they are not. */
function readAddress(input: ConnectionInput, path: Path, read: Reader): Address {
  const at = [...path, 'url'];
  const url = URL.canParse(input.url) ? new URL(input.url) : undefined;
  if (url === undefined || url.hostname === '') {
    read.error(at, 'is no address such as mqtt://127.0.0.1:1883');
    return { url: '' };
  }
  if (url.search !== '' || url.hash !== '' || (url.pathname !== '' && url.pathname !== '/')) {
    read.error(at, 'has something behind host and port; MQTT over TCP has no path');
  }
  if (url.username !== '' && input.username !== undefined)
    read.error(at, 'names a user, and so does username');
  const username = input.username ?? decode(url.username, at, read);
  const password = input.password ?? decode(url.password, at, read);
  if (password !== undefined && username === undefined && input.version === 4) {
    read.error(path, 'has a password without a username, which MQTT 3.1.1 does not allow [MQTT-3.1.2-22]');
  }
  return {
    url: `${url.protocol}//${url.host}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function decode(text: string, path: Path, read: Reader): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    read.error(path, 'has a % in the credentials that is no %-escape; write it as %25');
    return undefined;
  }
}

/** Topic names to publish to. Source: MQTT 5.0, 4.7.1 and 4.7.3. */
function checkTopic(topic: string, path: Path, read: Reader): void {
  if (/[+#\0]/.test(topic)) read.error(path, 'has a +, # or NUL, which no topic to publish to may have');
  if (Buffer.byteLength(topic) > 65_535) read.error(path, 'is longer than 65535 bytes');
}

function will(input: NonNullable<MqttSinkInput['will']>): NonNullable<MqttConnection['will']> {
  return {
    topic: input.topic,
    payload: input.payload ?? '',
    qos: input.qos === 1 ? 1 : 0,
    retain: input.retain ?? false,
  };
}

function tls(input: NonNullable<MqttSinkInput['tls']>, path: Path, read: Reader): MqttTls {
  const pem = (key: 'ca' | 'cert' | 'key') => read.pem(input[key], [...path, key]);
  const file = (key: Pem) =>
    input[key] === undefined || isPemText(input[key]) ? [] : [[key, read.file(input[key])] as const];
  const files = Object.fromEntries([...file('ca'), ...file('cert'), ...file('key')]);
  return {
    ca: pem('ca'),
    cert: pem('cert'),
    key: pem('key'),
    servername: input.serverName,
    ...(Object.keys(files).length === 0 ? {} : { files }),
  };
}
