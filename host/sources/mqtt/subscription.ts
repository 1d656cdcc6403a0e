import type { Fault } from '../../../runtime/index.js';
import { SOURCE_CODES } from '../../mqtt/codes.js';
import type { Link } from '../../mqtt/link.js';
import type { MqttVersion } from '../../protocols/mqtt-wire/constants.js';
import { malformed } from '../../protocols/mqtt-wire/malformed.js';
import { reasonText } from '../../protocols/mqtt-wire/reasons.js';
import { encodeSubscribe } from '../../protocols/mqtt-wire/session.js';
import type { FilledSource } from './config.js';

/** Our one packet identifier: nothing else that we send carries one of ours. */
const PACKET_ID = 1;
const FAILURE = 0x80;

/** Sees to it that the broker sends what was configured, and says what it refuses. */
export class Subscription {
  /** What the broker refused when it was asked last. */
  fault: Fault | undefined;
  readonly #config: FilledSource;
  readonly #where: string;
  readonly #failed: (fault: Fault) => void;
  /** The session has our subscriptions, as far as it exists. */
  #standing = false;
  #asked = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(config: FilledSource, where: string, failed: (fault: Fault) => void) {
    this.#config = config;
    this.#where = where;
    this.#failed = failed;
  }

  /**
   * Subscribes, unless the session that goes on has what was asked for by this process: in 3.1.1 each
   * subscription brings all retained messages again.
   */
  ask(link: Link, version: MqttVersion, sessionPresent: boolean): void {
    if (sessionPresent && this.#standing) return;
    this.#standing = false;
    this.#asked = true;
    this.fault = undefined;
    const { topics, qos, connectTimeoutMs } = this.#config;
    link.write(encodeSubscribe(version, PACKET_ID, topics, qos), () => {});
    this.#patience = setTimeout(() => {
      const message = `${this.#where} did not answer SUBSCRIBE within ${connectTimeoutMs} ms.`;
      link.fail({ code: 'SLUICE_SOURCE_TIMEOUT', message }, false);
    }, connectTimeoutMs);
  }

  /**
   * The broker's answer. True if there is something to listen to.
   * @throws SluiceError SLUICE_SOURCE_PROTOCOL if it answers something else
   */
  answered(
    link: Link,
    version: MqttVersion,
    packetId: number,
    codes: Uint8Array,
    text: string | undefined,
  ): boolean {
    const { topics, qos } = this.#config;
    if (!this.#asked || packetId !== PACKET_ID || codes.length !== topics.length)
      throw malformed(SOURCE_CODES.protocol, 'a SUBACK that answers no SUBSCRIBE of ours');
    this.lost();
    let refused = 0;
    for (const [index, topic] of topics.entries()) {
      const code = codes[index] as number;
      if (code >= FAILURE) {
        refused += 1;
        // 3.1.1 §3.9.3 knows one code for all failures.
        const why = version === 5 ? `: ${reasonText(code, version)}` : '';
        const said = text === undefined ? '' : ` It says ${JSON.stringify(text)}.`;
        const message = `${this.#where} refused the subscription to ${JSON.stringify(topic)}${why}.${said}`;
        this.fault = { code: SOURCE_CODES.refused, message };
        this.#failed(this.fault);
      } else if (code > qos) {
        throw malformed(SOURCE_CODES.protocol, `a SUBACK that grants QoS ${code} where ${qos} was asked for`);
      } else if (code < qos) {
        const message = `${this.#where} grants QoS ${code} for ${JSON.stringify(topic)} where ${qos} was asked for: messages can be lost on the way to us.`;
        this.#failed({ code: 'SLUICE_SOURCE_QOS', message });
      }
    }
    if (refused < topics.length) {
      this.#standing = true;
      return true;
    }
    // Rights may be given later; nothing but another try finds out.
    const message = `${this.#where} refused every subscription.`;
    link.fail({ code: SOURCE_CODES.refused, message }, true);
    return false;
  }

  /** What the session has is not believed any more. */
  again(): void {
    this.#standing = false;
  }

  /** The connection is gone, and no answer comes any more. */
  lost(): void {
    clearTimeout(this.#patience);
    this.#asked = false;
  }
}
