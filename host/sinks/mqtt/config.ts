import { SINK_CODES } from '../../mqtt/codes.js';
import {
  checkName,
  type FilledConnection,
  fillConnection,
  type MqttConnection,
} from '../../mqtt/connection.js';
import type { DialerOptions } from '../../mqtt/dialer.js';
import { MAX_STRING } from '../../protocols/mqtt-wire/constants.js';
import { MAX_BROKER_PACKET } from '../../protocols/mqtt-wire/parser.js';

/** What a user may say about an MQTT sink. Defaults are in `fill`. */
export interface MqttSinkConfig extends MqttConnection {
  /** Cap; a message goes out with the lower of this and what its plugin asked for. QoS 2 becomes 1. Default 1. */
  readonly qos?: 0 | 1 | undefined;
  /** Default 10,000 messages (at most 65,535) and 8 MiB. */
  readonly window?:
    | { readonly messages?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
  /** Put before every topic as it is. */
  readonly prefix?: string | undefined;
  /** A broker that confirms nothing for so long is connected to anew. Default 30 s. */
  readonly confirmTimeoutMs?: number | undefined;
}

/** What the code may assume. */
export interface FilledConfig extends FilledConnection {
  readonly qos: 0 | 1;
  readonly messages: number;
  readonly bytes: number;
  readonly prefix: Buffer;
  readonly confirmTimeoutMs: number;
}

/** How a sink connects. A read of this size holds 4,096 acknowledgements. */
export const DIALER_OPTIONS = {
  codes: SINK_CODES,
  readBytes: 16_384,
  sessionExpiry: 3_600,
  maximumPacketSize: MAX_BROKER_PACKET,
  wantsSession: false,
} as const satisfies DialerOptions;

/** @throws SluiceError SLUICE_CONFIG_INVALID */
export function fill(name: string, config: MqttSinkConfig): FilledConfig {
  const where = `sinks.${name}.mqtt`;
  const connection = fillConnection(where, config);
  const prefix = Buffer.from(config.prefix ?? '', 'utf8');
  // No room for a topic behind a prefix of the full length.
  if (prefix.length > 0) checkName(where, 'prefix', prefix, MAX_STRING - 1);
  return {
    ...connection,
    qos: config.qos ?? 1,
    messages: config.window?.messages ?? 10_000,
    bytes: config.window?.bytes ?? 8 * 1024 * 1024,
    prefix,
    confirmTimeoutMs: config.confirmTimeoutMs ?? 30_000,
  };
}
