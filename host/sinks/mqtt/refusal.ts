import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { MEASURE, type Measure } from '../../protocols/mqtt-wire/publish.js';
import { defectText, escapeBytes, type TextDefect } from '../../protocols/mqtt-wire/text.js';
import { type MessageId, textOf } from '../message-id.js';

/** Why a message was not taken, and by its id whose it was. @param measured not MEASURE.ok */
export function refusalOf(
  measured: Measure,
  defect: TextDefect,
  view: MessageView,
  id: MessageId,
  limit: number,
): Fault {
  const topic = escapeBytes(view.bytes, view.topicStart, view.topicEnd);
  const name = textOf(id);
  if (measured === MEASURE.topic) {
    const message = `The topic "${topic}" of message ${name} ${defectText(defect)}.`;
    return { code: 'SLUICE_SINK_TOPIC', message };
  }
  if (measured === MEASURE.property) {
    const message = `The content type or a property of message ${name} on "${topic}" ${defectText(defect)}.`;
    return { code: 'SLUICE_SINK_PROPERTY', message };
  }
  return tooLarge(topic, limit, name);
}

/** @param topic escaped @param name id of the message, where it is known */
export function tooLarge(topic: string, limit: number, name?: string): Fault {
  const which = name === undefined ? 'A message' : `Message ${name}`;
  return {
    code: 'SLUICE_SINK_TOO_LARGE',
    message: `${which} on "${topic}" is larger than the ${limit} bytes that may go out in one packet.`,
  };
}
