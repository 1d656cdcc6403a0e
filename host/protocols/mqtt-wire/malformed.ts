import { SluiceError } from '../../../runtime/index.js';

/** The code of a broken packet: who speaks to the broker decides it. */
export type ProtocolCode = 'SLUICE_SINK_PROTOCOL' | 'SLUICE_SOURCE_PROTOCOL';

/** @param what the packet, or the part of it, that breaks the protocol */
export function malformed(code: ProtocolCode, what: string): SluiceError {
  return new SluiceError(
    code,
    `The broker sent bytes that are not MQTT: ${what}${what.endsWith('?') ? '' : '.'}`,
  );
}
