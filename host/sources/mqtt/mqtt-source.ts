import type { Fault } from '../../../runtime/index.js';
import { SOURCE_CODES } from '../../mqtt/codes.js';
import { Dialer } from '../../mqtt/dialer.js';
import type { Link, Loss } from '../../mqtt/link.js';
import { type MqttVersion, PACKET } from '../../protocols/mqtt-wire/constants.js';
import type { Connack, PacketReader, SessionEvents } from '../../protocols/mqtt-wire/server-packets.js';
import { type Publication, SubscriberParser } from '../../protocols/mqtt-wire/subscriber.js';
import type { FrameNames, Ingress, Source, SourcePeer } from '../source.js';
import { type FilledSource, fillSource, type MqttSourceConfig } from './config.js';
import { InHand, printOf } from './in-hand.js';
import { Intake } from './intake.js';
import { Rest } from './rest.js';
import { Subscription } from './subscription.js';
import { Unreleased } from './unreleased.js';

const READ_BYTES = 65_536;
/** A read of more than this was large enough. */
const FEW_BYTES = READ_BYTES / 2;
/**
 * With this many in hand a millisecond more until the next are read holds nothing up: brokers that let only
 * a few be under way (20 or 32 are usual) do not get there, and are not made to wait.
 */
const MANY = 40;
/** 5.0 §3.7.2.1. */
const ID_NOT_FOUND = 0x92;

/**
 * Subscribes at an MQTT broker, 3.1.1 or 5.0, over a connection of its own. Each message becomes a frame:
 * topic and payload as they are, properties as `Names` says, the trace id of its trace context beside them.
 *
 * What is acknowledged: at QoS 1 a message gets its PUBACK once every sink has confirmed what became of it, at QoS 2
 * its PUBREC, in the order in which the messages came. Up to `window` of them are in hand: a 5.0 broker is told so
 * (Receive Maximum), and beyond that the socket is not read. After a lost connection the broker
 * sends again what it has no answer for: what is still in hand is known and not handed over twice. At QoS 1 a
 * message whose PUBACK was under way can come twice; at QoS 2 it cannot, as its identifier is kept from the PUBREC
 * to the PUBREL. That memory is of this process: after one that was killed, what the broker had no PUBREC for comes
 * again as a new message. At QoS 0 nothing is acknowledged.
 * When no slab is free the socket is not read, and nothing is dropped.
 * A message that cannot become a frame (too large, topic or property not text) is refused: counted, said,
 * and acknowledged, as it would come again for ever.
 */
export class MqttSource implements Source {
  readonly repeats = false;
  readonly names: FrameNames;
  readonly #config: FilledSource;
  readonly #ingress: Ingress;
  readonly #where: string;
  readonly #dialer: Dialer;
  readonly #intake: Intake;
  readonly #unreleased = new Unreleased();
  readonly #inHand: InHand;
  readonly #subscription: Subscription;
  /** The connection, once the broker has accepted it, and its reader. */
  #link: Link | undefined;
  #parser: SubscriberParser | undefined;
  /** The reader holds packets for which there was no room. */
  #blocked = false;
  /** When the piece that is being read came. */
  #now = 0;
  /** Of messages at QoS 0, which no broker waits for. */
  readonly #rest = new Rest();
  #scheduled = false;
  /** Bytes of PUBCOMPs that go out at the end of a read. */
  readonly #completions: number[] = [];
  #connectedBefore = false;
  #stopping = false;

  /** @throws SluiceError SLUICE_CONFIG_INVALID */
  constructor(name: string, config: MqttSourceConfig, ingress: Ingress) {
    const filled = fillSource(name, config);
    this.#config = filled;
    this.#ingress = ingress;
    this.#where = `${filled.host}:${filled.port}`;
    this.#intake = new Intake({ ...filled, ingress, failed: fault => this.#failed(fault) });
    this.names = this.#intake.traces;
    this.#inHand = new InHand(filled.window, this.#unreleased);
    this.#subscription = new Subscription(filled, this.#where, fault => this.#failed(fault));
    const options = {
      codes: SOURCE_CODES,
      readBytes: READ_BYTES,
      sessionExpiry: filled.sessionExpiry,
      receiveMaximum: filled.window,
      wantsSession: true,
    };
    this.#dialer = new Dialer(filled, options, {
      accepted: (link, packet) => this.#accepted(link, packet),
      reader: (version, session) => this.#reader(version, session),
      read: bytes => this.#restAfter(bytes),
      drain: () => this.resume(),
      lost: loss => this.#lost(loss),
      certificate: fault => this.#failed(fault),
      fellBack: fault => {
        this.#failed(fault);
        this.#sayWithoutSession(4);
      },
    });
  }

  start(): Promise<void> {
    this.#sayWithoutSession(this.#config.version);
    this.#dialer.dial();
    return Promise.resolve();
  }

  resume(): void {
    if (!this.#blocked || this.#parser === undefined) return;
    this.#blocked = false;
    try {
      const goesOn = this.#parser.resume();
      this.#complete();
      if (goesOn) this.#link?.resume();
    } catch (thrown) {
      this.#link?.broken(thrown);
    }
  }

  delivered(sequence: number): void {
    this.#intake.traces.delivered(sequence);
    this.#inHand.delivered(sequence);
    this.#acknowledgeSoon();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    // What is held or still comes is read and left to the broker, so that acknowledgements can go on.
    this.resume();
    if (this.#link === undefined) await this.#dialer.close();
  }

  async close(): Promise<void> {
    this.#acknowledge();
    await this.#dialer.close();
  }

  /** Brokers let so many be under way (Receive Maximum, 20 or 32 in all) and then say nothing. */
  get isHeldUp(): boolean {
    return this.#inHand.count > 0;
  }

  renew(fault: Fault): boolean {
    if (this.#link === undefined || this.#stopping) return false;
    // The broker may have lost the subscription: it is asked for again.
    this.#subscription.again();
    this.#link.fail({ ...fault, message: `${this.#where}: ${fault.message}` }, false);
    return true;
  }

  state(): readonly SourcePeer[] {
    const { state, fault = this.#subscription.fault } = this.#dialer.state();
    const peer = { name: this.#where, state, lastFrame: this.#intake.lastFrame };
    return [fault === undefined ? peer : { ...peer, fault }];
  }

  #reader(version: MqttVersion, session: SessionEvents): PacketReader {
    const { maxMessage } = this.#config;
    const events = {
      ...session,
      publish: (publication: Publication) => this.#publish(publication, version),
      pubrel: (id: number) => this.#release(id, version),
      suback: (id: number, codes: Uint8Array, text: string | undefined) => {
        const link = this.#link;
        if (link !== undefined && this.#subscription.answered(link, version, id, codes, text))
          this.#dialer.proved();
      },
    };
    const parser = new SubscriberParser(version, maxMessage, events);
    this.#parser = parser;
    return {
      get pending() {
        return parser.pending;
      },
      push: chunk => {
        this.#now = Date.now();
        const goesOn = parser.push(chunk);
        this.#complete();
        if (!goesOn || this.#link?.writable !== false) return goesOn;
        this.#blocked = true;
        return false;
      },
    };
  }

  #accepted(link: Link, { sessionPresent }: Connack): void {
    this.#link = link;
    if (!sessionPresent) {
      this.#inHand.forget();
      this.#unreleased.forget();
      if (this.#connectedBefore && this.#config.qos > 0 && this.#keepsSession()) {
        const message = `${this.#where} has no session for ${this.#config.clientId} any more; what was published since the connection was lost does not come.`;
        this.#failed({ code: 'SLUICE_SOURCE_SESSION', message });
      }
    }
    this.#connectedBefore = true;
    this.#ingress.connected(this.#where);
    this.#subscription.ask(link, this.#dialer.version, sessionPresent);
  }

  #lost(loss: Loss): void {
    this.#link = undefined;
    this.#parser = undefined;
    this.#blocked = false;
    this.#completions.length = 0;
    this.#subscription.lost();
    this.#inHand.lost();
    this.#failed(loss.fault);
    if (this.#stopping) void this.#dialer.close();
  }

  #restAfter(bytes: number): number {
    const ms = this.#rest.next(this.#now);
    if (bytes > FEW_BYTES) return 0;
    const { count } = this.#inHand;
    // Of these the broker may let only a few be under way, and what rests is not acknowledged.
    if (ms > 0) return count > 0 ? 1 : ms;
    return count > MANY ? 1 : 0;
  }

  /** One message; false: there is no room for it. */
  #publish(message: Publication, version: MqttVersion): boolean {
    // Not acknowledged, so the broker keeps it.
    if (this.#stopping) return true;
    if (message.qos === 0) {
      this.#rest.took();
      if (this.#intake.take(message, this.#now) === 0) this.#blocked = true;
      return !this.#blocked;
    }
    const inHand = this.#inHand;
    // A broker that does not read its acknowledgements is not read either, or they pile up here.
    if (inHand.isFull || this.#link?.writable === false) {
      // A 5.0 broker was told how many. Some send more (mosquitto 2.0.11 does), and [MQTT-3.3.4-9] would end the
      // connection for it, again and again; left in the socket they cost nothing.
      this.#blocked = true;
      return false;
    }
    const { bytes, packetId, qos, dup, topicStart, topicEnd, payloadStart, payloadEnd } = message;
    const print = printOf(bytes, topicStart, topicEnd, payloadStart, payloadEnd);
    if (!dup && qos === 1) inHand.replaced(packetId);
    else if (inHand.again(packetId, print, qos, dup)) {
      this.#acknowledgeSoon();
      return true;
    }
    // [MQTT-4.3.3-10]: until its PUBREL it is answered again, and not taken again.
    if (qos === 2 && this.#unreleased.isKnown(packetId, print)) {
      inHand.add(packetId, 0, print, qos);
      this.#acknowledgeSoon();
      return true;
    }
    const sequence = this.#intake.take(message, this.#now);
    if (sequence === 0) {
      this.#blocked = true;
      return false;
    }
    if (sequence > 0) inHand.add(packetId, sequence, print, qos);
    else {
      inHand.add(packetId, 0, print, qos, version === 5 ? this.#intake.reason : 0);
      this.#acknowledgeSoon();
    }
    return true;
  }

  /** [MQTT-4.3.3-11]: each PUBREL is answered, also one of a session of which an earlier process knew more. */
  #release(id: number, version: MqttVersion): void {
    const known = this.#unreleased.release(id);
    this.#completions.push(PACKET.pubcomp << 4, known || version === 4 ? 2 : 3, id >> 8, id & 0xff);
    if (!known && version === 5) this.#completions.push(ID_NOT_FOUND);
  }

  /** One write for all PUBRELs of one read. */
  #complete(): void {
    if (this.#completions.length === 0) return;
    this.#link?.write(Buffer.from(this.#completions), ignore);
    this.#completions.length = 0;
  }

  /** All that a turn delivers is acknowledged in one write. */
  #acknowledgeSoon(): void {
    if (this.#scheduled || !this.#inHand.isReady) return;
    this.#scheduled = true;
    process.nextTick(this.#acknowledge);
  }

  readonly #acknowledge = (): void => {
    this.#scheduled = false;
    const link = this.#link;
    if (link === undefined || !this.#inHand.isReady) return;
    link.write(this.#inHand.acknowledge(), ignore);
    this.resume();
  };

  /** The broker is asked to keep what comes while a connection is away. */
  #keepsSession(): boolean {
    return this.#config.named || this.#dialer.version === 5;
  }

  #sayWithoutSession(version: MqttVersion): void {
    if (version === 5 || this.#config.named || this.#config.qos === 0) return;
    const message = `${this.#where}: without clientId MQTT 3.1.1 keeps no session; what is published while the connection is away does not come.`;
    this.#failed({ code: 'SLUICE_SOURCE_SESSION', message });
  }

  #failed(fault: Fault): void {
    this.#ingress.failed(fault, this.#where);
  }
}

/** A write that fails is followed by the loss of the connection, and what was not acknowledged comes again. */
function ignore(): void {}
