import { type Fault, SluiceError, Stamp } from '../../../runtime/index.js';
import type { Publication } from '../../protocols/mqtt-wire/subscriber.js';
import { defectText, escapeBytes } from '../../protocols/mqtt-wire/text.js';
import { FrameTraces } from '../frame-traces.js';
import type { Ingress } from '../source.js';
import { Names } from './names.js';

/** 5.0 §3.4.2.1: of the reasons that a PUBACK may give these come nearest. */
const QUOTA_EXCEEDED = 0x97;
const TOPIC_INVALID = 0x90;
const PAYLOAD_INVALID = 0x99;

export interface IntakeParts {
  readonly ingress: Ingress;
  /** Topics may have the address of who published in front: `markTopic`. */
  readonly marksPeers: boolean;
  /** Bytes of topic and payload. */
  readonly maxMessage: number;
  readonly failed: (fault: Fault) => void;
}

/** Makes frames of messages, or refuses them: counted, and said. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #names: Names;
  /** Of frames that came with one. */
  readonly traces = new FrameTraces();
  readonly #time = new Stamp();
  /** When the last frame came, milliseconds since 1970; 0: none has. */
  lastFrame = 0;
  /** Why the message that was refused last was: a reason code of 5.0. */
  reason = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#names = new Names(parts.ingress, parts.marksPeers);
  }

  /** The sequence of its frame; 0: no room; -1: it was refused for `reason`. @param now when it came, milliseconds since 1970 */
  take(message: Publication, now: number): number {
    const { ingress, maxMessage } = this.#parts;
    const size = message.tooLarge || message.payloadEnd - message.topicStart;
    if (size > maxMessage) return this.#tooLarge(message, `has ${size} bytes`);
    const topic = this.#names.topic(message);
    if (topic < 0)
      return this.#refuse(message, TOPIC_INVALID, 'SLUICE_SOURCE_MESSAGE', this.#defect('its topic'));
    const list = this.#names.properties(message);
    if (list < 0)
      return this.#refuse(
        message,
        PAYLOAD_INVALID,
        'SLUICE_SOURCE_MESSAGE',
        this.#defect('its content type or a user property'),
      );
    const { bytes, payloadStart, payloadEnd } = message;
    try {
      const sequence = ingress.push(topic, this.#time.set(now), bytes, payloadStart, payloadEnd, list);
      if (sequence === 0) return 0;
      this.lastFrame = now;
      const { traceAt } = this.#names;
      if (traceAt >= 0) this.traces.addHex(sequence, bytes, traceAt);
      return sequence;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_FRAME_TOO_LARGE') throw thrown;
      return this.#tooLarge(message, thrown.message);
    }
  }

  #tooLarge(message: Publication, why: string): number {
    return this.#refuse(
      message,
      QUOTA_EXCEEDED,
      'SLUICE_FRAME_TOO_LARGE',
      `it ${why}; at most ${this.#parts.maxMessage} are taken`,
    );
  }

  #refuse(message: Publication, reason: number, code: Fault['code'], why: string): number {
    const topic = escapeBytes(message.bytes, message.topicStart, message.topicEnd);
    this.reason = reason;
    this.#parts.ingress.skipped(code);
    this.#parts.failed({ code, message: `A message on "${topic}" was left out: ${why}.` });
    return -1;
  }

  #defect(what: string): string {
    return `${what} ${defectText(this.#names.defect)}`;
  }
}
