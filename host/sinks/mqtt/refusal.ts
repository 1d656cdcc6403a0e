import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { MEASURE, type Measure } from '../../protocols/mqtt-wire/publish.js';
import { defectText, escapeBytes, type TextDefect } from '../../protocols/mqtt-wire/text.js';

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
