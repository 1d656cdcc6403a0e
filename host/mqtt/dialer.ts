import type { Fault } from '../../runtime/index.js';
import type { MqttVersion } from '../protocols/mqtt-wire/constants.js';
import type { Connack, PacketReader, SessionEvents } from '../protocols/mqtt-wire/server-packets.js';
import { DISCONNECT, DISCONNECT_END_SESSION, encodeConnect } from '../protocols/mqtt-wire/session.js';
import { Backoff } from './backoff.js';
import type { ConnectionCodes } from './codes.js';
import type { FilledConnection } from './connection.js';
import { Link, type Loss } from './link.js';

/** A connection that lived this long counts as good, and the next try after it comes soon. */
const GOOD_MS = 10_000;
/** 5.0 §2.4: Unsupported Protocol Version. In 3.1.1 (§3.2.2.3) the return code is 1. */
const UNSUPPORTED_VERSION = 0x84;

/** What the two ends of a gateway do differently. */
export interface DialerOptions {
  readonly codes: ConnectionCodes;
  /** The most that is read at once. */
  readonly readBytes: number;
  /** Seconds that a 5.0 broker keeps our session while we are away. */
  readonly sessionExpiry: number;
  /** Said to a 5.0 broker where given. */
  readonly maximumPacketSize?: number;
  readonly receiveMaximum?: number;
  /**
   * What the broker holds for us is wanted: for a configured client id from the first connection on, and
   * also after one that ended in nonsense. Otherwise a 5.0 session begins with this process, and anew after
   * nonsense.
   */
  readonly wantsSession: boolean;
}

export interface ConnectionState {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly fault?: Fault;
}

export interface DialerEvents {
  /** The broker accepted the connection. */
  accepted(link: Link, packet: Connack): void;
  /** Makes the reader for a connection of this version. */
  reader(version: MqttVersion, session: SessionEvents): PacketReader;
  /** After each read of so many bytes: how long the next one waits, ms. */
  read(bytes: number): number;
  drain(): void;
  /** The connection is gone, or could not be made; the next try is under way. */
  lost(loss: Loss): void;
  /** A certificate that was renewed cannot be used; the one before is. */
  certificate(fault: Fault): void;
  /** The broker knows 3.1.1 only: it is spoken to in that from now on. */
  fellBack(fault: Fault): void;
}

/** Keeps one connection to the broker: dials, sees to version and session, waits, dials again. */
export class Dialer {
  readonly #config: FilledConnection;
  readonly #options: DialerOptions;
  readonly #events: DialerEvents;
  readonly #backoff: Backoff;
  #version: MqttVersion;
  #state: ConnectionState['state'] = 'waiting';
  #fault: Fault | undefined;
  #link: Link | undefined;
  #retry: NodeJS.Timeout | undefined;
  #acceptedAt = 0;
  #useful = false;
  /** The broker has a session of ours that we know. */
  #session: boolean;
  #fallBack = false;
  #closed: (() => void) | undefined;

  /** @throws SluiceError SLUICE_CONFIG_INVALID if the configuration does not fit a CONNECT */
  constructor(config: FilledConnection, options: DialerOptions, events: DialerEvents) {
    this.#config = config;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(config.minMs, config.maxMs);
    this.#version = config.version;
    this.#session = config.named && (options.wantsSession || config.version === 4);
    this.#hello(); // Throws now, not at the first try, if the configuration does not fit a CONNECT.
  }

  get version(): MqttVersion {
    return this.#version;
  }

  state(): ConnectionState {
    return { state: this.#state, ...(this.#fault === undefined ? {} : { fault: this.#fault }) };
  }

  /** `close` was called, perhaps by who was told of a loss. */
  get #stopped(): boolean {
    return this.#state === 'stopped';
  }

  dial(): void {
    this.#state = 'connecting';
    this.#useful = false;
    this.#acceptedAt = 0;
    const unusable = this.#config.tls?.refresh();
    if (unusable !== undefined) this.#events.certificate(unusable);
    const { readBytes, codes } = this.#options;
    const link = new Link(this.#config, this.#version, this.#hello(), readBytes, codes, {
      connack: packet => this.#connack(link, packet),
      reader: session => this.#events.reader(this.#version, session),
      read: bytes => this.#events.read(bytes),
      drain: () => this.#events.drain(),
      lost: loss => this.#lost(loss),
    });
    this.#link = link;
  }

  /** The broker has done something useful: after a loss the next try comes soon. */
  proved(): void {
    this.#useful = true;
  }

  /** Ends the connection, if there is one, with a word if it takes one; nothing is tried after that. */
  async close(): Promise<void> {
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
    // 5.0 §3.14.2.2.2: nobody comes back for the session of a client id made up for this run.
    const keep = this.#config.named || this.#version === 4;
    if (wasConnected && link.writable) link.end(keep ? DISCONNECT : DISCONNECT_END_SESSION);
    else link.fail({ code: this.#options.codes.disconnected, message: 'The gateway is stopping.' }, false);
    await closed;
  }

  /**
   * 5.0: the first connection begins a session (Clean Start 1) unless one is wanted, as one that we know
   * nothing of has to be refused [MQTT-3.2.2-4]; later ones continue it. 3.1.1 has no expiry: only a
   * configured client id asks the broker to keep anything.
   */
  #hello(): Buffer {
    const { clientId, keepAlive, username, password, will } = this.#config;
    const { sessionExpiry, maximumPacketSize, receiveMaximum } = this.#options;
    return encodeConnect({
      version: this.#version,
      clientId,
      clean: !this.#session,
      keepAlive,
      username,
      password,
      will,
      sessionExpiry,
      maximumPacketSize,
      receiveMaximum,
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
      link.fail({ code: this.#options.codes.protocol, message }, false);
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
    const { codes, wantsSession } = this.#options;
    const kept = wantsSession && this.#session;
    if (loss.fault.code === codes.protocol && !kept) this.#session = false;
    if (this.#fallBack) {
      this.#useVersion4();
      return;
    }
    this.#fault = loss.fault;
    this.#state = 'waiting';
    this.#events.lost(loss);
    const good = this.#useful || (this.#acceptedAt > 0 && performance.now() - this.#acceptedAt > GOOD_MS);
    if (good) this.#backoff.reset();
    if (this.#stopped) return;
    // What a kept session holds comes again, and would break the connection again.
    const lasting = loss.lasting || (kept && loss.malformed === true);
    this.#retry = setTimeout(() => this.dial(), this.#backoff.delay(lasting));
  }

  #useVersion4(): void {
    this.#fallBack = false;
    this.#version = 4;
    this.#session = this.#config.named;
    const where = `${this.#config.host}:${this.#config.port}`;
    this.#events.fellBack({
      code: this.#options.codes.version,
      message: `${where} does not speak MQTT 5.0; going on with 3.1.1, which carries no content type and no properties.`,
    });
    this.dial();
  }
}
