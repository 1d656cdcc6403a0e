import type { Fault } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { Dialer } from '../../mqtt/dialer.js';
import type { Link, Loss } from '../../mqtt/link.js';
import { MAX_STRING, type MqttVersion } from '../../protocols/mqtt-wire/constants.js';
import { BrokerParser } from '../../protocols/mqtt-wire/parser.js';
import { MEASURE, PublishEncoder } from '../../protocols/mqtt-wire/publish.js';
import { PublishView } from '../../protocols/mqtt-wire/publish-view.js';
import type { Connack } from '../../protocols/mqtt-wire/server-packets.js';
import { escapeBytes } from '../../protocols/mqtt-wire/text.js';
import type { MessageId } from '../message-id.js';
import type { Insurer, SinkReport, SinkState, Ticket, WindowedSink } from '../sink.js';
import { DIALER_OPTIONS, type FilledConfig, fill, type MqttSinkConfig } from './config.js';
import { ConfirmWatch } from './confirm-watch.js';
import { Outflow } from './outflow.js';
import { hangsUp, refusalOf, refusedByBroker, tooLarge, unconfirmed } from './refusal.js';
import { Tally } from './tally.js';
import { Trial } from './trial.js';
import { SendWindow } from './window.js';

/** With this many on the wire a millisecond more until a confirmation is seen holds nothing up, if few came at once. */
const MANY = 1_000;
const FEW_BYTES = DIALER_OPTIONS.readBytes / 16;

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
  readonly #out: Outflow;
  readonly #tally = new Tally();
  readonly #trial = new Trial(more => {
    this.#out.grant(more);
    this.#out.pump();
  });
  readonly #dialer: Dialer;
  readonly #confirms: ConfirmWatch;
  #encoder: PublishEncoder;
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
    this.#out = new Outflow(this.#window, {
      done: (ticket, count) => this.#tally.done(ticket, count),
      settled: () => this.#settled(),
    });
    this.#confirms = new ConfirmWatch(this.#window, this.#config.confirmTimeoutMs, {
      ask: read => this.#out.link?.ask(read),
      silent: (count, ms) => this.#unconfirmed(count, ms),
    });
    this.#encoder = new PublishEncoder(this.#config.version, this.#config.prefix);
    this.#qos = this.#config.qos;
    this.#maximumPacket = this.#window.store.limit;
    this.#dialer = new Dialer(this.#config, DIALER_OPTIONS, {
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
      drain: () => this.#out.pump(),
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
    this.#out.pump();
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
      const ticket = window.slots.ticketOf(slot);
      if (isFull || insurer.has(ticket)) return;
      const { bytes, at, length } = window.slots.packetOf(slot);
      const time = { low: window.ids.timeLow(slot), high: window.ids.timeHigh(slot) };
      const view = new PublishView(bytes, at, length, this.version, prefix, time);
      const copy = insurer.copy(view, window.ids.idOf(slot), ticket);
      if (copy === undefined) isFull = true;
      else window.slots.retell(slot, copy);
    });
  }

  /** The protocol version in use: the configured one, or 4 after a broker refused 5. */
  get version(): MqttVersion {
    return this.#dialer.version;
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#out.pump();
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
    this.#out.grant(1 + this.#trial.confirmed()); // 5.0 §4.9: also when the reason code is an error.
    if (reason < 0x80) {
      this.#tally.done(window.settle(slot));
      return;
    }
    this.#report.failed(refusedByBroker(window.slots.topicOf(slot), reason, text));
    this.#tally.dropped(window.settle(slot), 'SLUICE_SINK_REFUSED');
  }

  /** After a group of confirmations: tell the tickets, then whoever waits for room or for the end. */
  #settled(): void {
    this.#tally.flush();
    this.#out.pump();
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
    this.#out.begin(link, this.#trial.begin(properties.receiveMaximum ?? MAX_STRING, performance.now()));
    this.#confirms.begin();
    this.#out.pump();
  }

  #dropTooLarge(): void {
    const window = this.#window;
    const limit = this.#maximumPacket;
    window.forEach((slot, length) => {
      if (length <= limit) return;
      const topic = window.slots.topicOf(slot);
      this.#report.failed(tooLarge(escapeBytes(topic, 0, topic.length), limit));
      this.#tally.dropped(window.settle(slot), 'SLUICE_SINK_TOO_LARGE');
    });
  }

  #lost(loss: Loss): void {
    const accepted = this.#out.link !== undefined;
    this.#confirms.stop();
    this.#out.end();
    this.#report.failed(loss.fault);
    const hungUp = accepted && loss.hungUp === true && !this.#stopping;
    const guilty = this.#trial.lost(hungUp ? this.#window : undefined, performance.now());
    if (guilty >= 0) this.#giveUp(guilty);
  }

  /** It is connected, and what it is sent leads to nothing: perhaps it does on another connection. */
  #unconfirmed(count: number, ms: number): void {
    const { host, port } = this.#config;
    this.#out.link?.fail(unconfirmed(`${host}:${port}`, count, ms), false);
  }

  /** The broker hangs up for this message, whenever it comes. */
  #giveUp(slot: number): void {
    this.#report.failed(hangsUp(this.#window.slots.topicOf(slot), this.#window.slots.sizeOf(slot)));
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
