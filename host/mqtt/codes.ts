import type { ErrorCode } from '../../runtime/index.js';
import type { ProtocolCode } from '../protocols/mqtt-wire/malformed.js';

/** How what goes wrong with a connection is called on the side that it serves. */
export interface ConnectionCodes {
  readonly disconnected: ErrorCode;
  readonly protocol: ProtocolCode;
  readonly refused: ErrorCode;
  readonly version: ErrorCode;
}

export const SINK_CODES: ConnectionCodes = {
  disconnected: 'SLUICE_SINK_DISCONNECTED',
  protocol: 'SLUICE_SINK_PROTOCOL',
  refused: 'SLUICE_SINK_REFUSED',
  version: 'SLUICE_SINK_VERSION',
};

export const SOURCE_CODES: ConnectionCodes = {
  disconnected: 'SLUICE_SOURCE_DISCONNECTED',
  protocol: 'SLUICE_SOURCE_PROTOCOL',
  refused: 'SLUICE_SOURCE_REFUSED',
  version: 'SLUICE_SOURCE_VERSION',
};
