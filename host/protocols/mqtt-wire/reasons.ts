import type { MqttVersion } from './constants.js';

/** CONNACK return codes of 3.1.1 §3.2.2.3. */
const RETURN_CODES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'client identifier rejected',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
};

/** Reason codes of 5.0 §2.4 that a server may send in CONNACK, PUBACK, SUBACK or DISCONNECT. */
const REASON_CODES: Readonly<Record<number, string>> = {
  0: 'success',
  16: 'no matching subscribers',
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over by another client with the same client id',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  147: 'receive maximum exceeded',
  148: 'topic alias invalid',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  158: 'shared subscriptions not supported',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
  161: 'subscription identifiers not supported',
  162: 'wildcard subscriptions not supported',
};

/** Reason codes after which only a person, or the other party to a quarrel, can change the outcome. */
const LASTING = new Set([132, 133, 134, 135, 138, 140, 142, 152, 154, 155, 156, 157]);

/** Reason codes of a DISCONNECT that speak of the connection and not of what was sent on it. */
const OF_THE_CONNECTION = new Set([137, 139, 141, 142, 152, 156, 157, 159, 160]);

/** True if a DISCONNECT with this reason may be the answer to a message. */
export function mayBlameMessage(code: number): boolean {
  return !OF_THE_CONNECTION.has(code);
}

/** `bad user name or password (0x86)`; a code that the specification does not know is named as such. */
export function reasonText(code: number, version: MqttVersion): string {
  const known = (version === 4 ? RETURN_CODES : REASON_CODES)[code];
  return `${known ?? 'unknown reason code'} (0x${code.toString(16).padStart(2, '0')})`;
}

/** True if trying again soon is of no use: credentials, rights, client id, session taken over. */
export function isLasting(code: number, version: MqttVersion): boolean {
  return version === 4 ? code !== 3 : LASTING.has(code);
}
