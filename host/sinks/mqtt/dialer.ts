import type { Fault } from '../../../runtime/index.js';
import type { MqttVersion } from '../../protocols/mqtt-wire/constants.js';
import { type Connack, MAX_BROKER_PACKET } from '../../protocols/mqtt-wire/parser.js';
import { encodeConnect } from '../../protocols/mqtt-wire/session.js';
import type { SinkReport, SinkState } from '../sink.js';
import { Backoff } from './backoff.js';
import type { FilledConfig } from './config.js';
import { Link, type Loss } from './link.js';

/** Seconds that a 5.0 broker keeps our session while we are away. */
const SESSION_EXPIRY = 3_600;
/** A connection that lived this long counts as good, and the next try after it comes soon. */
const GOOD_MS = 10_000;
/** 5.0 §2.4: Unsupported Protocol Version. In 3.1.1 (§3.2.2.3) the return code is 1. */
const UNSUPPORTED_VERSION = 0x84;

export interface DialerEvents {
  /** The broker accepted the connection. */
  accepted(link: Link, packet: Connack): void;
  puback(packetId: number, reason: number, text: string | undefined): void;
  /** True: there is no hurry for the next read. */
  read(): boolean;
  drain(): void;
  /** The connection is gone, or could not be made; the next try is under way. */
  lost(loss: Loss): void;
  /** The broker knows 3.1.1 only. */
  fellBack(): void;
}

/** Keeps one connection to the broker: dials, sees to version and session, waits, dials again. */
export class Dialer {
  readonly #config: FilledConfig;
  readonly #report: SinkReport;
  readonly #events: DialerEvents;
  readonly #backoff: Backoff;
  #version: MqttVersion;
  #state: SinkState['state'] = 'waiting';
  #fault: Fault | undefined;
  #link: Link | undefined;
  #retry: NodeJS.Timeout | undefined;
  #acceptedAt = 0;
  #useful = false;
  /** The broker has a session of ours that we know. */
  #session: boolean;
  #fallBack = false;
  #closed: (() => void) | undefined;

  constructor(config: FilledConfig, report: SinkReport, events: DialerEvents) {
    this.#config = config;
    this.#report = report;
    this.#events = events;
    this.#backoff = new Backoff(config.minMs, config.maxMs);
    this.#version = config.version;
    this.#session = config.named && config.version === 4;
    this.#hello(); // Throws now, not at the first try, if the configuration does not fit a CONNECT.
  }

  get version(): MqttVersion {
    return this.#version;
  }

  state(): Pick<SinkState, 'state' | 'fault'> {
    return { state: this.#state, ...(this.#fault === undefined ? {} : { fault: this.#fault }) };
  }

  dial(): void {
    this.#state = 'connecting';
    this.#useful = false;
    this.#acceptedAt = 0;
    const link = new Link(this.#config, this.#version, this.#hello(), {
      connack: packet => this.#connack(link, packet),
      puback: (id, reason, text) => {
        this.#useful = true;
        this.#events.puback(id, reason, text);
      },
      read: () => this.#events.read(),
      drain: () => this.#events.drain(),
      lost: loss => this.#lost(loss),
    });
    this.#link = link;
  }

  /** Ends the connection, if there is one, with `goodbye`; nothing is tried after that. */
  async close(goodbye: Buffer): Promise<void> {
    clearTimeout(this.#retry);
    const link = this.#link;
    const wasConnected = this.#state === 'connected';
    this.#state = 'stopped';
    if (link === undefined) return;
    const closed = new Promise<void>(resolve => {
      this.#closed = resolve;
    });
    // §3.14.4: a client closes the connection after DISCONNECT [MQTT-3.14.4-2]. A socket that takes nothing
    // more cannot be told.
    if (wasConnected && link.writable) link.end(goodbye);
    else link.fail({ code: 'SLUICE_SINK_ABANDONED', message: 'The gateway is stopping.' }, false);
    await closed;
  }

  /**
   * 5.0: the first connection begins a session (Clean Start 1), as one that we know nothing of has to be
   * refused [MQTT-3.2.2-4]; later ones continue it. 3.1.1 has no expiry: only a configured client id asks
   * the broker to keep anything.
   */
  #hello(): Buffer {
    const { clientId, keepAlive, username, password, will } = this.#config;
    return encodeConnect({
      version: this.#version,
      clientId,
      clean: !this.#session,
      keepAlive,
      username,
      password,
      will,
      sessionExpiry: SESSION_EXPIRY,
      maximumPacketSize: MAX_BROKER_PACKET,
    });
  }

  #connack(link: Link, packet: Connack): void {
    if (packet.code !== 0) {
      const refused =
        packet.legacy && packet.code < 0x80 ? packet.code === 1 : packet.code === UNSUPPORTED_VERSION;
      this.#fallBack = this.#version === 5 && refused;
      return;
    }
    if (packet.sessionPresent && !this.#session) {
      const message = 'The broker says that it has a session where none was asked for.';
      link.fail({ code: 'SLUICE_SINK_PROTOCOL', message }, false);
      return;
    }
    if (this.#state === 'stopped') return;
    this.#state = 'connected';
    this.#fault = undefined;
    this.#acceptedAt = performance.now();
    this.#session = this.#version === 5 || this.#config.named;
    this.#events.accepted(link, packet);
  }

  #lost(loss: Loss): void {
    this.#link = undefined;
    if (this.#state === 'stopped') {
      this.#closed?.();
      return;
    }
    // What a broker holds of a session that ended in nonsense is not built upon: begin a clean one.
    if (loss.fault.code === 'SLUICE_SINK_PROTOCOL') this.#session = false;
    if (this.#fallBack) {
      this.#useVersion4();
      return;
    }
    this.#fault = loss.fault;
    this.#state = 'waiting';
    this.#events.lost(loss);
    const good = this.#useful || (this.#acceptedAt > 0 && performance.now() - this.#acceptedAt > GOOD_MS);
    if (good) this.#backoff.reset();
    this.#retry = setTimeout(() => this.dial(), this.#backoff.delay(loss.lasting));
  }

  #useVersion4(): void {
    this.#fallBack = false;
    this.#version = 4;
    this.#session = this.#config.named;
    const where = `${this.#config.host}:${this.#config.port}`;
    this.#report.failed({
      code: 'SLUICE_SINK_VERSION',
      message: `${where} does not speak MQTT 5.0; going on with 3.1.1, which carries no content type and no properties.`,
    });
    this.#events.fellBack();
    this.dial();
  }
}
