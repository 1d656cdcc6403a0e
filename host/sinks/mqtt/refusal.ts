import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { MEASURE, type Measure } from '../../protocols/mqtt-wire/publish.js';
import { defectText, type TextDefect } from '../../protocols/mqtt-wire/text.js';

const SHOWN_BYTES = 120;

/** Why a message was not taken. @param measured not MEASURE.ok */
export function refusalOf(measured: Measure, defect: TextDefect, view: MessageView, limit: number): Fault {
  const topic = escapeBytes(view.bytes, view.topicStart, view.topicEnd);
  if (measured === MEASURE.topic) {
    return { code: 'SLUICE_SINK_TOPIC', message: `The topic "${topic}" ${defectText(defect)}.` };
  }
  if (measured === MEASURE.property) {
    return {
      code: 'SLUICE_SINK_PROPERTY',
      message: `The content type or a property of a message on "${topic}" ${defectText(defect)}.`,
    };
  }
  return tooLarge(topic, limit);
}

/** @param topic escaped */
export function tooLarge(topic: string, limit: number): Fault {
  return {
    code: 'SLUICE_SINK_TOO_LARGE',
    message: `A message on "${topic}" is larger than the ${limit} bytes that may go out in one packet.`,
  };
}

/** Bytes from outside as text for a log: everything that is not printable ASCII as \xNN, cut when long. */
export function escapeBytes(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < Math.min(end, start + SHOWN_BYTES); i++) {
    const byte = bytes[i]!;
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return end - start > SHOWN_BYTES ? `${text}... (${end - start} bytes)` : text;
}
