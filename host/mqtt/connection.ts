import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../runtime/index.js';
import { MAX_STRING, type MqttVersion } from '../protocols/mqtt-wire/constants.js';
import type { ConnectWill } from '../protocols/mqtt-wire/session.js';
import { checkString, checkTopic, defectText, TEXT } from '../protocols/mqtt-wire/text.js';
import { ClientTls, type MqttTls } from './client-tls.js';
import type { OwnEnds } from './own-ends.js';

/** What a user may say about a connection to a broker. Defaults are in `fillConnection`. */
export interface MqttConnection {
  /** `mqtt://host:1883` or `mqtts://host:8883`; `user:password@` is understood. */
  readonly url: string;
  /** Default 5. A broker that knows 3.1.1 only is spoken to in 3.1.1 from then on. */
  readonly version?: MqttVersion | undefined;
  /** Given: the broker is asked to keep the session. Default: a random one for each start. */
  readonly clientId?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Default 30; 0 turns it off. A 5.0 broker may set another. */
  readonly keepAliveS?: number | undefined;
  readonly will?: ConnectWill | undefined;
  readonly tls?: MqttTls | undefined;
  /** Default 500 ms to 30 s. */
  readonly reconnect?:
    | { readonly minMs?: number | undefined; readonly maxMs?: number | undefined }
    | undefined;
  /** From the start of a connection to CONNACK. Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Told of each connection: the embedded broker of this gateway knows its own by it. */
  readonly ends?: OwnEnds | undefined;
}

/** What the code may assume. */
export interface FilledConnection {
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTls | undefined;
  readonly version: MqttVersion;
  readonly clientId: string;
  /** The client id outlives this process. */
  readonly named: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly keepAlive: number;
  readonly will: ConnectWill | undefined;
  readonly minMs: number;
  readonly maxMs: number;
  readonly connectTimeoutMs: number;
  readonly ends: OwnEnds | undefined;
}

/**
 * @param where its place in the configuration, for errors: `sinks.plant.mqtt`
 * @throws SluiceError SLUICE_CONFIG_INVALID
 */
export function fillConnection(where: string, config: MqttConnection): FilledConnection {
  const url = URL.canParse(config.url) ? new URL(config.url) : undefined;
  const secure = url?.protocol === 'mqtts:';
  if (url === undefined || !(secure || url.protocol === 'mqtt:') || url.hostname === '') {
    throw invalid(where, 'url', 'has to be mqtt://host:port or mqtts://host:port');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (config.will !== undefined)
    checkName(where, 'will.topic', Buffer.from(config.will.topic, 'utf8'), MAX_STRING);
  const clientId = config.clientId ?? '';
  const bytes = Buffer.from(clientId, 'utf8');
  if (checkString(bytes, 0, bytes.length) !== TEXT.ok)
    throw invalid(where, 'clientId', 'is not a plain string');
  const minMs = config.reconnect?.minMs ?? 500;
  return {
    host,
    port: url.port === '' ? (secure ? 8883 : 1883) : Number(url.port),
    tls: secure ? new ClientTls(host, config.tls ?? {}) : undefined,
    version: config.version ?? 5,
    // 3.1.1 §3.1.3.1 [MQTT-3.1.3-5]: 1 to 23 letters and digits are what every broker takes.
    clientId: clientId === '' ? `sluice${randomBytes(8).toString('hex')}` : clientId,
    named: clientId !== '',
    username: config.username ?? fromUrl(url.username),
    password: config.password ?? fromUrl(url.password),
    keepAlive: Math.min(Math.max(Math.round(config.keepAliveS ?? 30), 0), 65_535),
    will: config.will,
    minMs,
    maxMs: Math.max(minMs, config.reconnect?.maxMs ?? 30_000),
    connectTimeoutMs: config.connectTimeoutMs ?? 10_000,
    ends: config.ends,
  };
}

function fromUrl(part: string): string | undefined {
  return part === '' ? undefined : decodeURIComponent(part);
}

/** A topic to publish to, or the beginning of one. @throws SluiceError SLUICE_CONFIG_INVALID */
export function checkName(where: string, field: string, bytes: Buffer, longest: number): void {
  const defect = bytes.length > longest ? TEXT.tooLong : checkTopic(bytes, 0, bytes.length, 0);
  if (defect !== TEXT.ok) throw invalid(where, field, defectText(defect));
}

export function invalid(where: string, field: string, what: string): SluiceError {
  return new SluiceError('SLUICE_CONFIG_INVALID', `${where}.${field} ${what}.`);
}
