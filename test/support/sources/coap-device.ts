import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { generate, type Option, type ParsedPacket, parse } from 'coap-packet';
import type { CoapConfig } from '../../../host/sources/coap/coap-config.js';
import { CoapSource } from '../../../host/sources/coap/coap-source.js';
import { udpSocket } from '../../../host/sources/coap/datagrams.js';
import { Waiting } from '../devices/gateway-peers.js';
import { RecordingIngress } from './recording-ingress.js';

/** A started CoAP source on a port of the system's, and a device that talks to it. */
export async function coapScene(t: TestContext, config: Partial<CoapConfig> = {}) {
  const ingress = new RecordingIngress();
  const socket = udpSocket('127.0.0.1');
  const source = new CoapSource(
    'field',
    { host: '127.0.0.1', port: 0, separateMs: 20, ...config },
    ingress,
    undefined,
    socket,
  );
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  const device = await CoapDevice.open(source.port);
  t.after(() => device.close());
  return { ingress, source, device, socket, port: source.port };
}

export interface Ask {
  readonly code?: string;
  readonly id?: number;
  readonly path?: string;
  readonly payload?: string | Uint8Array;
  readonly options?: Option[];
  readonly non?: boolean;
  readonly token?: string;
}

/** A CoAP device by hand: sends what the test wants, right or wrong, and keeps what comes. */
export class CoapDevice extends Waiting {
  readonly packets: ParsedPacket[] = [];
  received = 0;
  sent = 0;
  readonly #socket = createSocket('udp4');
  readonly #port: number;

  private constructor(port: number) {
    super();
    this.#port = port;
    this.#socket.on('message', bytes => {
      this.received += bytes.length;
      this.packets.push(parse(bytes));
      this.changed();
    });
  }

  static async open(port: number, address = '127.0.0.1'): Promise<CoapDevice> {
    const device = new CoapDevice(port);
    device.#socket.bind(0, address);
    await once(device.#socket, 'listening');
    return device;
  }

  close(): void {
    this.#socket.close();
  }

  raw(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.#socket.send(bytes, this.#port, '127.0.0.1');
  }

  ask({
    code = 'POST',
    id = 1,
    path = '',
    payload = '',
    options = [],
    non = false,
    token = 'tk',
  }: Ask): void {
    const segments = path.split('/').filter(one => one !== '');
    this.raw(
      generate({
        code: code as 'POST',
        messageId: id,
        token: Buffer.from(token),
        confirmable: !non,
        payload: Buffer.from(payload),
        options: [
          ...segments.map(one => ({ name: 'Uri-Path' as const, value: Buffer.from(one) })),
          ...options,
        ],
      }),
    );
  }

  /** Empty ACK or RST for a message of the server's. */
  bare(kind: 'ack' | 'rst' | 'ping', id: number): void {
    this.raw(Buffer.from([{ ack: 0x60, rst: 0x70, ping: 0x40 }[kind], 0, id >> 8, id & 255]));
  }

  async answers(count: number): Promise<string[]> {
    await this.until(
      () => `${count} packets (${this.texts().join(', ')} came)`,
      () => this.packets.length >= count,
    );
    return this.texts();
  }

  /** `ack 2.04`, `con 2.05`, `non 2.04`, `rst 0.00` with the message id of requests (below 1000). */
  texts(): string[] {
    return this.packets.map(({ ack, reset, confirmable, code, messageId }) => {
      const type = ack ? 'ack' : reset ? 'rst' : confirmable ? 'con' : 'non';
      return ack || reset ? `${type} ${messageId} ${code}` : `${type} ${code}`;
    });
  }

  option(index: number, name: string): string | undefined {
    return this.packets[index]?.options.find(one => one.name === name)?.value.toString('hex');
  }
}
