import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { SINK_CODES } from '../../mqtt/codes.js';
import { Dialer } from '../../mqtt/dialer.js';
import type { Link, Loss } from '../../mqtt/link.js';
import { MAX_STRING, type MqttVersion } from '../../protocols/mqtt-wire/constants.js';
import { BrokerParser, MAX_BROKER_PACKET } from '../../protocols/mqtt-wire/parser.js';
import { MEASURE, PublishEncoder } from '../../protocols/mqtt-wire/publish.js';
import { PublishView } from '../../protocols/mqtt-wire/publish-view.js';
import { reasonText } from '../../protocols/mqtt-wire/reasons.js';
import type { Connack } from '../../protocols/mqtt-wire/server-packets.js';
import { escapeBytes } from '../../protocols/mqtt-wire/text.js';
import type { MessageId } from '../message-id.js';
import type { Insurer, SinkReport, SinkState, Ticket, WindowedSink } from '../sink.js';
import { type FilledConfig, fill, type MqttSinkConfig } from './config.js';
import { ConfirmWatch } from './confirm-watch.js';
import { refusalOf, tooLarge } from './refusal.js';
import { Tally } from './tally.js';
import { STRIKES, Trial } from './trial.js';
import { type Run, SendWindow } from './window.js';

/** A read of this size holds 4,096 acknowledgements. */
const READ_BYTES = 16_384;
/** Seconds that a 5.0 broker keeps our session while we are away. */
const SESSION_EXPIRY = 3_600;
/** With this many on the wire a millisecond more until a confirmation is seen holds nothing up, if few came at once. */
const MANY = 1_000;
const FEW_BYTES = READ_BYTES / 16;

/**
 * Publishes to an MQTT broker, 3.1.1 or 5.0, over a connection of its own. Messages are encoded once,
 * into memory that is bounded, and go out many in one write.
 *
 * What is confirmed: at QoS 1 a message is done with its PUBACK, and is sent again after a lost
 * connection until then, so it can arrive twice. At QoS 0 it is done when the system has taken its bytes;
 * of what lies in the system's buffers when a connection breaks nobody can know whether it arrived. What
 * was not handed over, or whose write had not come to its end, goes out on the next connection: the part
 * of such a write that had left already, 64 KiB or so, can then arrive twice.
 * A message at QoS 1 for which the broker hangs up each time is found (`Trial`) and left out.
 * QoS 2 is not spoken: a message that asks for it goes out at QoS 1.
 * 5.0 messages carry their id as the user property `sluice-id`, behind their own.
 * 3.1.1 has no place for content type and properties; they are left out there.
 */
export class MqttSink implements WindowedSink {
  onRoom: () => void = () => {};
  readonly #config: FilledConfig;
  readonly #report: SinkReport;
  readonly #window: SendWindow;
  readonly #tally = new Tally();
  readonly #trial = new Trial(more => {
    this.#quota += more;
    this.#pump();
  });
  readonly #dialer: Dialer;
  readonly #confirms: ConfirmWatch;
  #encoder: PublishEncoder;
  /** The connection, once the broker has accepted it. */
  #link: Link | undefined;
  /** Writes that the socket of this connection has not finished. */
  #runs = new Set<Run>();
  #quota = 0;
  #qos: number;
  #maximumPacket: number;
  #starved = false;
  #stopping = false;
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws SluiceError SLUICE_CONFIG_INVALID */
  constructor(name: string, config: MqttSinkConfig, report: SinkReport) {
    this.#config = fill(name, config);
    this.#report = report;
    this.#window = new SendWindow(this.#config.messages, this.#config.bytes);
    this.#confirms = new ConfirmWatch(this.#window, this.#config.confirmTimeoutMs, {
      ask: read => this.#link?.ask(read),
      silent: (count, ms) => this.#unconfirmed(count, ms),
    });
    this.#encoder = new PublishEncoder(this.#config.version, this.#config.prefix);
    this.#qos = this.#config.qos;
    this.#maximumPacket = this.#window.store.limit;
    const options = {
      codes: SINK_CODES,
      readBytes: READ_BYTES,
      sessionExpiry: SESSION_EXPIRY,
      maximumPacketSize: MAX_BROKER_PACKET,
      wantsSession: false,
    };
    this.#dialer = new Dialer(this.#config, options, {
      accepted: (link, packet) => this.#accepted(link, packet),
      reader: (version, session) =>
        new BrokerParser(version, {
          ...session,
          puback: (id, reason, text) => this.#puback(id, reason, text),
        }),
      read: bytes => {
        this.#settled();
        return this.#window.onWire > MANY && bytes <= FEW_BYTES ? 1 : 0;
      },
      drain: () => this.#pump(),
      lost: loss => this.#lost(loss),
      certificate: fault => this.#report.failed(fault),
      fellBack: fault => this.#fellBack(fault),
    });
  }

  start(): Promise<void> {
    this.#dialer.dial();
    return Promise.resolve();
  }

  write(view: MessageView, ticket: Ticket, id: MessageId): boolean {
    if (this.#stopping) return false;
    const window = this.#window;
    if (window.isFull) return this.#full();
    const encoder = this.#encoder;
    const qos = Math.min(view.qos, this.#qos);
    let measured = encoder.measure(view, qos, id);
    if (measured === MEASURE.ok && encoder.size > this.#maximumPacket) measured = MEASURE.tooLarge;
    if (measured !== MEASURE.ok) {
      this.#refuse(refusalOf(measured, encoder.defect, view, id, this.#maximumPacket), ticket);
      return true;
    }
    const segment = window.store.room(encoder.size);
    if (segment === undefined) return this.#full();
    encoder.write(view, segment.bytes, segment.used, qos > 0 ? window.nextId : 0, id);
    window.push(segment, encoder.size, qos, ticket, view, id);
    return true;
  }

  flush(): void {
    this.#encoder.forget();
    this.#pump();
  }

  stop(signal: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    return this.#stopped;
  }

  state(): SinkState {
    return { ...this.#dialer.state(), inFlight: this.#window.inFlight };
  }

  get clientId(): string {
    return this.#config.clientId;
  }

  get capacity(): number {
    return this.#config.messages;
  }

  get taken(): number {
    return this.#window.taken;
  }

  get settled(): number {
    return this.#window.settled;
  }

  keepIds(): void {
    this.#window.keepIds();
  }

  insure(insurer: Insurer): void {
    const window = this.#window;
    const prefix = this.#config.prefix.length;
    let isFull = false;
    window.forEach(slot => {
      const ticket = window.ticketOf(slot);
      if (isFull || insurer.has(ticket)) return;
      const { bytes, at, length } = window.packetOf(slot);
      const time = { low: window.ids.timeLow(slot), high: window.ids.timeHigh(slot) };
      const view = new PublishView(bytes, at, length, this.version, prefix, time);
      const copy = insurer.copy(view, window.ids.idOf(slot), ticket);
      if (copy === undefined) isFull = true;
      else window.retell(slot, copy);
    });
  }

  /** The protocol version in use: the configured one, or 4 after a broker refused 5. */
  get version(): MqttVersion {
    return this.#dialer.version;
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#pump();
    await this.#confirmed(signal);
    await this.#dialer.close();
    this.#confirms.stop();
    this.#window.forEach(slot => {
      this.#tally.dropped(this.#window.settle(slot), 'SLUICE_SINK_ABANDONED');
    });
    this.#tally.flush();
  }

  /** Resolves when nothing is in flight any more, or when the signal aborts. */
  async #confirmed(signal: AbortSignal): Promise<void> {
    if (this.#window.inFlight === 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const abort = (): void => resolve();
    this.#idle = resolve;
    signal.addEventListener('abort', abort);
    await promise;
    signal.removeEventListener('abort', abort);
  }

  #full(): false {
    this.#starved = true;
    return false;
  }

  #refuse(fault: Fault, ticket: Ticket): void {
    this.#report.failed(fault);
    ticket.dropped(1, fault.code);
  }

  /** Hands over to the socket what it takes and the broker's quota allows; the socket gets it as one write. */
  #pump(): void {
    const link = this.#link;
    const window = this.#window;
    if (link === undefined || !link.writable || !window.hasUnsent) return;
    let run = window.next(this.#quota);
    if (run === undefined) return;
    // A run is one write by itself, and gathered writes cost the more where it is a single message.
    const several = window.hasUnsent;
    if (several) link.cork();
    while (run !== undefined) {
      this.#send(link, run);
      run = link.writable ? window.next(this.#quota) : undefined;
    }
    if (several) link.uncork();
  }

  #send(link: Link, run: Run): void {
    this.#quota -= run.confirmed;
    const runs = this.#runs;
    runs.add(run);
    link.write(run.segment.bytes.subarray(run.start, run.end), error => {
      if (!error) this.#taken(runs, run);
    });
  }

  readonly #done = (ticket: Ticket, count: number): void => this.#tally.done(ticket, count);

  /** A write is done: its QoS 0 messages are confirmed. After the loss of the connection it is too late. */
  #taken(runs: Set<Run>, run: Run): void {
    if (!runs.delete(run)) return;
    const window = this.#window;
    if (run.confirmed < run.count) window.settleTaken(run, this.#done);
    window.store.unpin(run.segment);
    this.#settled();
  }

  #puback(id: number, reason: number, text: string | undefined): void {
    this.#dialer.proved();
    const window = this.#window;
    const slot = window.slotOf(id);
    if (slot < 0) {
      // No clause says what to do; the message it may have been meant for is safe, so go on.
      const message = `The broker acknowledged packet identifier ${id}, which is not on its way.`;
      this.#report.failed({ code: 'SLUICE_SINK_PROTOCOL', message });
      return;
    }
    this.#quota += 1 + this.#trial.confirmed(); // 5.0 §4.9: also when the reason code is an error.
    if (reason < 0x80) {
      this.#tally.done(window.settle(slot));
      return;
    }
    const topic = window.topicOf(slot);
    const said = text === undefined ? '' : ` It says ${JSON.stringify(text)}.`;
    this.#report.failed({
      code: 'SLUICE_SINK_REFUSED',
      message: `The broker refused a message on "${escapeBytes(topic, 0, topic.length)}": ${reasonText(reason, 5)}.${said}`,
    });
    this.#tally.dropped(window.settle(slot), 'SLUICE_SINK_REFUSED');
  }

  /** After a group of confirmations: tell the tickets, then whoever waits for room or for the end. */
  #settled(): void {
    this.#tally.flush();
    this.#pump();
    if (this.#starved && !this.#stopping && this.#window.hasRoom) {
      this.#starved = false;
      this.onRoom();
    }
    if (this.#window.inFlight === 0) this.#idle?.();
  }

  #accepted(link: Link, { sessionPresent, properties }: Connack): void {
    this.#report.connected();
    const window = this.#window;
    // 5.0 §3.2.2.3.4 [MQTT-3.2.2-11], §3.2.2.3.5 [MQTT-3.2.2-14], §3.2.2.3.6 [MQTT-3.2.2-15].
    this.#qos = Math.min(this.#config.qos, properties.maximumQos ?? 1);
    this.#encoder.retainAvailable = properties.retainAvailable ?? true;
    this.#maximumPacket = Math.min(window.store.limit, properties.maximumPacketSize ?? window.store.limit);
    const dropQos = properties.maximumQos === 0;
    const dropRetain = properties.retainAvailable === false;
    if (dropQos || dropRetain) {
      window.adapt({ dropProperties: false, hasProperties: this.version === 5, dropQos, dropRetain });
    }
    this.#dropTooLarge();
    const again = window.rewind(sessionPresent);
    if (again > 0) this.#report.retried(again);
    // 5.0 §4.9: the quota begins at Receive Maximum. 3.1.1 has none; the window is the bound there.
    this.#quota = this.#trial.begin(properties.receiveMaximum ?? MAX_STRING, performance.now());
    this.#link = link;
    this.#runs = new Set();
    this.#confirms.begin();
    this.#pump();
  }

  #dropTooLarge(): void {
    const window = this.#window;
    const limit = this.#maximumPacket;
    window.forEach((slot, length) => {
      if (length <= limit) return;
      const topic = window.topicOf(slot);
      this.#report.failed(tooLarge(escapeBytes(topic, 0, topic.length), limit));
      this.#tally.dropped(window.settle(slot), 'SLUICE_SINK_TOO_LARGE');
    });
  }

  #lost(loss: Loss): void {
    const accepted = this.#link !== undefined;
    this.#link = undefined;
    this.#confirms.stop();
    for (const run of this.#runs) this.#window.store.unpin(run.segment);
    this.#runs.clear();
    this.#report.failed(loss.fault);
    const hungUp = accepted && loss.hungUp === true && !this.#stopping;
    const guilty = this.#trial.lost(hungUp ? this.#window : undefined, performance.now());
    if (guilty >= 0) this.#giveUp(guilty);
  }

  /** It is connected, and what it is sent leads to nothing: perhaps it does on another connection. */
  #unconfirmed(count: number, ms: number): void {
    const { host, port } = this.#config;
    const message = `${host}:${port} has confirmed none of the ${count} messages that it was sent last, for ${ms / 1000} s; the connection is made anew.`;
    this.#link?.fail({ code: 'SLUICE_SINK_UNCONFIRMED', message }, false);
  }

  /** The broker hangs up for this message, whenever it comes. */
  #giveUp(slot: number): void {
    const topic = this.#window.topicOf(slot);
    const what = `a message of ${this.#window.sizeOf(slot)} bytes on "${escapeBytes(topic, 0, topic.length)}"`;
    const message = `The broker hung up ${STRIKES} times right after ${what} that went out alone; it is left out, and the others go on.`;
    this.#report.failed({ code: 'SLUICE_SINK_HANGUP', message });
    this.#tally.dropped(this.#window.settle(slot), 'SLUICE_SINK_HANGUP');
    this.#settled();
  }

  /** From here on 3.1.1: what waits was encoded for 5.0 and is rewritten. */
  #fellBack(fault: Fault): void {
    this.#report.failed(fault);
    this.#encoder = new PublishEncoder(4, this.#config.prefix);
    this.#window.adapt({ dropProperties: true, hasProperties: true, dropQos: false, dropRetain: false });
  }
}
