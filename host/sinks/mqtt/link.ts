import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Fault, faultOf } from '../../../runtime/index.js';
import type { MqttVersion } from '../../protocols/mqtt-wire/constants.js';
import { BrokerParser, type Connack } from '../../protocols/mqtt-wire/parser.js';
import { isLasting, reasonText } from '../../protocols/mqtt-wire/reasons.js';
import { PINGREQ } from '../../protocols/mqtt-wire/session.js';
import type { FilledConfig } from './config.js';
import { KeepAlive } from './keep-alive.js';

/** How long a closing handshake may take before the socket is torn down. */
const CLOSE_MS = 1_000;
/** A read of this size holds 4,096 acknowledgements. */
const READ_BYTES = 16_384;
/**
 * A broker that answers each message by itself wakes us for each: reading costs ten times what sending
 * does. So where many answers are outstanding, and only a few came, the next ones are left to gather.
 */
const FEW_BYTES = 1_024;
const GATHER_MS = 1;

/** Why a connection ended. */
export interface Loss {
  readonly fault: Fault;
  /** Trying again soon is of no use. */
  readonly lasting: boolean;
}

export interface LinkEvents {
  /** The broker's answer; its code may be a refusal, and then the link is about to be lost. */
  connack(packet: Connack): void;
  puback(packetId: number, reason: number, text: string | undefined): void;
  /** All packets of one read have been seen. True: there is no hurry for the next read. */
  read(): boolean;
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
  readonly #parser: BrokerParser;
  readonly #patience: NodeJS.Timeout;
  #keepAlive: KeepAlive | undefined;
  #loss: Loss | undefined;
  #closing: NodeJS.Timeout | undefined;
  #gather: NodeJS.Timeout | undefined;
  #blocked = false;

  /** @param hello the encoded CONNECT, sent as soon as the connection stands */
  constructor(config: FilledConfig, version: MqttVersion, hello: Buffer, events: LinkEvents) {
    this.#events = events;
    this.#version = version;
    this.#where = `${config.host}:${config.port}`;
    this.#socket = config.tls === undefined ? this.#connectTcp(config) : this.#connectTls(config, config.tls);
    this.#parser = new BrokerParser(version, {
      connack: packet => this.#connack(packet, config.keepAlive),
      puback: (id, reason, text) => events.puback(id, reason, text),
      pingresp: () => this.#keepAlive?.pong(),
      disconnect: (reason, text) =>
        this.#refused('closed the connection', reason, text, 'SLUICE_SINK_DISCONNECTED'),
    });
    this.#patience = setTimeout(() => {
      this.fail(
        { code: 'SLUICE_SINK_DISCONNECTED', message: `${this.#where} did not answer in time.` },
        false,
      );
    }, config.connectTimeoutMs);
    this.#socket.once(config.tls === undefined ? 'connect' : 'secureConnect', () =>
      this.#socket.write(hello),
    );
    this.#socket.on('drain', () => {
      this.#blocked = false;
      events.drain();
    });
    this.#socket.on('error', (error: Error) => {
      this.#loss ??= disconnected(`The connection to ${this.#where} failed: ${error.message}`);
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

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Tears the connection down; `lost` follows. */
  fail(fault: Fault, lasting: boolean): void {
    this.#loss ??= { fault, lasting };
    this.#socket.destroy();
  }

  /** Says goodbye, passes on what is buffered, and closes; `lost` follows, after a second at the latest. */
  end(goodbye: Buffer): void {
    if (this.#closing !== undefined) return;
    this.#closing = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
    this.#socket.end(goodbye);
  }

  /**
   * Acknowledgements come in reads of a few bytes each. One buffer for all of them costs less than half of
   * what a new one for each 'data' event does; the parser keeps none of it.
   */
  #connectTcp({ host, port }: FilledConfig): Socket {
    const buffer = Buffer.alloc(READ_BYTES);
    const callback = (length: number): boolean => {
      this.#data(buffer.subarray(0, length));
      return true;
    };
    return connectTcp({ host, port, noDelay: true, onread: { buffer, callback } });
  }

  #connectTls({ host, port }: FilledConfig, options: ConnectionOptions): Socket {
    const socket = connectTls({ ...options, host, port });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    return socket;
  }

  #data(chunk: Buffer): void {
    if (this.#loss !== undefined) return;
    this.#keepAlive?.received();
    try {
      this.#parser.push(chunk);
    } catch (thrown) {
      this.fail(faultOf(thrown), false);
    }
    const patient = this.#events.read();
    if (!patient || chunk.length > FEW_BYTES || !this.writable) return;
    this.#socket.pause();
    if (this.#gather === undefined) this.#gather = setTimeout(() => this.#socket.resume(), GATHER_MS);
    else this.#gather.refresh();
  }

  #connack(packet: Connack, keepAlive: number): void {
    clearTimeout(this.#patience);
    if (packet.code !== 0) {
      this.#refused(
        'refused the connection',
        packet.code,
        packet.properties.reasonString,
        'SLUICE_SINK_REFUSED',
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
      ping: () => this.#socket.write(PINGREQ),
      dead: () =>
        this.fail(
          { code: 'SLUICE_SINK_DISCONNECTED', message: `${this.#where} did not answer a PINGREQ.` },
          false,
        ),
    };
  }

  #refused(
    what: string,
    reason: number,
    text: string | undefined,
    code: 'SLUICE_SINK_REFUSED' | 'SLUICE_SINK_DISCONNECTED',
    legacy = false,
  ): void {
    const version = legacy && reason < 0x80 ? 4 : this.#version;
    const said = text === undefined ? '' : ` It says ${JSON.stringify(text)}.`;
    this.fail(
      { code, message: `${this.#where} ${what}: ${reasonText(reason, version)}.${said}` },
      isLasting(reason, version),
    );
  }

  #closed(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#closing);
    clearTimeout(this.#gather);
    this.#keepAlive?.stop();
    this.#events.lost(
      this.#loss ??
        (this.#parser.pending > 0
          ? {
              fault: {
                code: 'SLUICE_SINK_PROTOCOL',
                message: `${this.#where} closed the connection in the middle of a packet.`,
              },
              lasting: false,
            }
          : disconnected(`${this.#where} closed the connection.`)),
    );
  }
}

function disconnected(message: string): Loss {
  return { fault: { code: 'SLUICE_SINK_DISCONNECTED', message }, lasting: false };
}
