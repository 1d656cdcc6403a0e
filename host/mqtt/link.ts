import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type ErrorCode, type Fault, faultOf } from '../../runtime/index.js';
import type { MqttVersion } from '../protocols/mqtt-wire/constants.js';
import { isLasting, mayBlameMessage, reasonText } from '../protocols/mqtt-wire/reasons.js';
import type { Connack, PacketReader, SessionEvents } from '../protocols/mqtt-wire/server-packets.js';
import { PINGREQ } from '../protocols/mqtt-wire/session.js';
import { whyNoTls } from './client-tls.js';
import type { ConnectionCodes } from './codes.js';
import type { FilledConnection } from './connection.js';
import { KeepAlive } from './keep-alive.js';

/** How long a closing handshake may take before the socket is torn down. */
const CLOSE_MS = 1_000;
/** Where there is no keep-alive, and nothing is read, this one looks whether the broker is still there. */
const WATCH_S = 30;

/** Why a connection ended. */
export interface Loss {
  readonly fault: Fault;
  /** Trying again soon is of no use. */
  readonly lasting: boolean;
  /** A packet that came broke the protocol. */
  readonly malformed?: boolean;
  /** The broker ended it, and did not say that it was for another reason than what was sent. */
  readonly hungUp?: boolean;
}

export interface LinkEvents {
  /** The broker's answer; its code may be a refusal, and then the link is about to be lost. */
  connack(packet: Connack): void;
  /** Makes the reader of the packets that this side is sent; those of the session go to `session`. */
  reader(session: SessionEvents): PacketReader;
  /** All packets of one read of so many bytes have been seen. How long the next read waits, so that more come together, ms; 0: not. */
  read(bytes: number): number;
  /** The socket takes bytes again. */
  drain(): void;
  /** Once, last: the connection is gone and nothing of it is on its way any more. */
  lost(loss: Loss): void;
}

/** One TCP or TLS connection to a broker, from connecting to lost. */
export class Link {
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  readonly #where: string;
  readonly #version: MqttVersion;
  readonly #codes: ConnectionCodes;
  readonly #reader: PacketReader;
  readonly #patience: NodeJS.Timeout;
  #keepAlive: KeepAlive | undefined;
  /** While paused without a keep-alive. */
  #watch: KeepAlive | undefined;
  #loss: Loss | undefined;
  #closing: NodeJS.Timeout | undefined;
  #gather: NodeJS.Timeout | undefined;
  #gatherMs = 0;
  #blocked = false;
  /** PINGREQs that went out, and PINGRESPs that came. */
  #asked = 0;
  #answered = 0;
  #question: { readonly number: number; readonly answered: () => void } | undefined;
  /** The reader wants no more for now. */
  #paused = false;

  /**
   * @param hello the encoded CONNECT, sent as soon as the connection stands
   * @param readBytes the most that is read at once
   */
  constructor(
    config: FilledConnection,
    version: MqttVersion,
    hello: Buffer,
    readBytes: number,
    codes: ConnectionCodes,
    events: LinkEvents,
  ) {
    this.#events = events;
    this.#codes = codes;
    this.#version = version;
    this.#where = `${config.host}:${config.port}`;
    this.#socket =
      config.tls === undefined
        ? this.#connectTcp(config, readBytes)
        : this.#connectTls(config, config.tls.options);
    this.#reader = events.reader({
      connack: packet => this.#connack(packet, config.keepAlive),
      pingresp: () => this.#pingresp(),
      disconnect: (reason, text) => this.#refused('closed the connection', reason, text, codes.disconnected),
    });
    this.#patience = setTimeout(() => {
      this.fail({ code: codes.disconnected, message: `${this.#where} did not answer in time.` }, false);
    }, config.connectTimeoutMs);
    let greeted = false;
    this.#socket.once(config.tls === undefined ? 'connect' : 'secureConnect', () => {
      greeted = true;
      config.ends?.add(this.#socket);
      this.#socket.write(hello);
    });
    this.#socket.on('drain', () => {
      this.#blocked = false;
      // It has read what it was sent; its answer may lie behind what there is no room for.
      if (this.#paused) this.#pong();
      events.drain();
    });
    this.#socket.on('error', (error: Error) => {
      const why = config.tls === undefined || greeted ? error.message : whyNoTls(error);
      this.#loss ??= this.#hungUp(`The connection to ${this.#where} failed: ${why}`);
    });
    // Without this a peer that is gone would be waited for until it takes what is still buffered.
    this.#socket.once('end', () => this.#socket.destroy());
    this.#socket.once('close', () => this.#closed());
  }

  /** False while the socket's buffer is full, or while the connection is on its way out. */
  get writable(): boolean {
    return !this.#blocked && this.#loss === undefined && this.#closing === undefined;
  }

  /** Hands bytes to the socket; `taken` is called with an error if it could not pass them on. */
  write(bytes: Uint8Array, taken: (error?: Error | null) => void): void {
    this.#keepAlive?.sent();
    if (!this.#socket.write(bytes, taken)) this.#blocked = true;
  }

  /** Calls back once the broker has read all that it was sent up to now, if it ever does: it answers a PINGREQ that goes behind it. */
  ask(answered: () => void): void {
    if (this.#loss !== undefined || this.#closing !== undefined) return;
    this.#ping();
    this.#question = { number: this.#asked, answered };
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Tears the connection down; `lost` follows. */
  fail(fault: Fault, lasting: boolean, hungUp = false): void {
    this.#loss ??= { fault, lasting, hungUp };
    this.#socket.destroy();
  }

  /** The reader threw. */
  broken(thrown: unknown): void {
    const fault = faultOf(thrown);
    const message = `${this.#where}: ${fault.message}`;
    this.#loss ??= { fault: { ...fault, message }, lasting: false, malformed: true };
    this.#socket.destroy();
  }

  /** The reader takes packets again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#watch?.stop();
    this.#watch = undefined;
    this.#socket.resume();
  }

  /** Says goodbye, passes on what is buffered, and closes; `lost` follows, after a second at the latest. */
  end(goodbye: Buffer): void {
    if (this.#closing !== undefined) return;
    this.#closing = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
    this.#socket.end(goodbye);
  }

  /**
   * Acknowledgements come in reads of a few bytes each. One buffer for all of them costs less than half of
   * what a new one for each 'data' event does; the reader keeps none of it.
   */
  #connectTcp({ host, port }: FilledConnection, readBytes: number): Socket {
    const buffer = Buffer.alloc(readBytes);
    const callback = (length: number): boolean => {
      this.#data(buffer.subarray(0, length));
      return !this.#paused;
    };
    return connectTcp({ host, port, noDelay: true, onread: { buffer, callback } });
  }

  #connectTls({ host, port }: FilledConnection, options: ConnectionOptions): Socket {
    const socket = connectTls({ ...options, host, port });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    return socket;
  }

  #data(chunk: Buffer): void {
    if (this.#loss !== undefined) return;
    this.#keepAlive?.received();
    try {
      if (!this.#reader.push(chunk)) this.#pause();
    } catch (thrown) {
      this.broken(thrown);
    }
    const ms = this.#events.read(chunk.length);
    if (ms > 0 && !this.#paused && this.writable) this.#rest(ms);
  }

  /** Reads on after so many milliseconds. */
  #rest(ms: number): void {
    this.#socket.pause();
    if (this.#gather !== undefined && ms === this.#gatherMs) this.#gather.refresh();
    else {
      clearTimeout(this.#gather);
      this.#gather = setTimeout(this.#gathered, ms);
      this.#gatherMs = ms;
    }
  }

  readonly #gathered = (): void => {
    if (!this.#paused) this.#socket.resume();
  };

  /** The end of a connection that is not read shows only in what is written to it. */
  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
    if (this.#keepAlive === undefined) this.#watch ??= new KeepAlive(WATCH_S, this.#keepAliveEvents());
  }

  #connack(packet: Connack, keepAlive: number): void {
    clearTimeout(this.#patience);
    if (packet.code !== 0) {
      this.#refused(
        'refused the connection',
        packet.code,
        packet.properties.reasonString,
        this.#codes.refused,
        packet.legacy,
      );
    } else {
      // 5.0 §3.2.2.3.14 [MQTT-3.2.2-21]: the broker's value counts, where it gives one.
      const seconds = packet.properties.serverKeepAlive ?? keepAlive;
      if (seconds > 0) this.#keepAlive = new KeepAlive(seconds, this.#keepAliveEvents());
    }
    this.#events.connack(packet);
  }

  #keepAliveEvents(): ConstructorParameters<typeof KeepAlive>[1] {
    return {
      ping: () => {
        this.#ping();
        // The answer lies unread behind what there is no room for; that says nothing about the broker. One that does not
        // even take the question is another thing.
        if (this.#paused && !this.#blocked) this.#pong();
      },
      dead: () => {
        const what = this.#blocked ? 'does not read what it is sent' : 'did not answer a PINGREQ';
        this.fail({ code: this.#codes.disconnected, message: `${this.#where} ${what}.` }, false);
      },
    };
  }

  #ping(): void {
    this.#asked += 1;
    this.#socket.write(PINGREQ);
  }

  #pingresp(): void {
    this.#answered += 1;
    this.#pong();
    const question = this.#question;
    if (question === undefined || this.#answered < question.number) return;
    this.#question = undefined;
    question.answered();
  }

  #pong(): void {
    (this.#keepAlive ?? this.#watch)?.pong();
  }

  #refused(what: string, reason: number, text: string | undefined, code: ErrorCode, legacy = false): void {
    const version = legacy && reason < 0x80 ? 4 : this.#version;
    const said = text === undefined ? '' : ` It says ${JSON.stringify(text)}.`;
    this.fail(
      { code, message: `${this.#where} ${what}: ${reasonText(reason, version)}.${said}` },
      isLasting(reason, version),
      code === this.#codes.disconnected && mayBlameMessage(reason),
    );
  }

  #closed(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#closing);
    clearTimeout(this.#gather);
    this.#keepAlive?.stop();
    this.#watch?.stop();
    const half = this.#reader.pending > 0;
    this.#events.lost(
      this.#loss ??
        (half
          ? {
              fault: {
                code: this.#codes.protocol,
                message: `${this.#where} closed the connection in the middle of a packet.`,
              },
              lasting: false,
              hungUp: true,
            }
          : this.#hungUp(`${this.#where} closed the connection.`)),
    );
  }

  #hungUp(message: string): Loss {
    return { fault: { code: this.#codes.disconnected, message }, lasting: false, hungUp: true };
  }
}
