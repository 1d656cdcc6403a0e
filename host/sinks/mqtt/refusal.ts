import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { MEASURE, type Measure } from '../../protocols/mqtt-wire/publish.js';
import { reasonText } from '../../protocols/mqtt-wire/reasons.js';
import { defectText, escapeBytes, type TextDefect } from '../../protocols/mqtt-wire/text.js';
import { type MessageId, textOf } from '../message-id.js';
import { STRIKES } from './trial.js';

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

/** The broker acknowledged a message with an error. @param text what it says itself */
export function refusedByBroker(topic: Buffer, reason: number, text: string | undefined): Fault {
  const said = text === undefined ? '' : ` It says ${JSON.stringify(text)}.`;
  return {
    code: 'SLUICE_SINK_REFUSED',
    message: `The broker refused a message on "${escapeBytes(topic, 0, topic.length)}": ${reasonText(reason, 5)}.${said}`,
  };
}

/** The broker hangs up for a message, whenever it comes. @param size of its packet, bytes */
export function hangsUp(topic: Buffer, size: number): Fault {
  const what = `a message of ${size} bytes on "${escapeBytes(topic, 0, topic.length)}"`;
  return {
    code: 'SLUICE_SINK_HANGUP',
    message: `The broker hung up ${STRIKES} times right after ${what} that went out alone; it is left out, and the others go on.`,
  };
}

/** The broker is connected, and what it is sent leads to nothing. */
export function unconfirmed(where: string, count: number, ms: number): Fault {
  return {
    code: 'SLUICE_SINK_UNCONFIRMED',
    message: `${where} has confirmed none of the ${count} messages that it was sent last, for ${ms / 1000} s; the connection is made anew.`,
  };
}
