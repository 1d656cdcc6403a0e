/**
 * The least of MQTT 3.1.1 that a load generator and witness needs, at QoS 0. On purpose not our own codecs:
 * what is measured must not count itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A PUBLISH at QoS 0 in place: good until the call returns. */
export type OnMessage = (bytes: Buffer, payloadStart: number, payloadEnd: number) => void;

export class Client {
  readonly #socket: Socket;
  readonly #onMessage: OnMessage;
  readonly #afterRead: () => void;
  #rest: Buffer = Buffer.alloc(0);
  #subscribed: () => void = () => {};

  private constructor(socket: Socket, onMessage: OnMessage, afterRead: () => void) {
    this.#socket = socket;
    this.#onMessage = onMessage;
    this.#afterRead = afterRead;
    socket.on('data', chunk => this.#data(chunk));
  }

  /** @param afterRead called when all messages of one read have been seen */
  static async connect(
    port: number,
    filter: string,
    onMessage: OnMessage,
    afterRead: () => void,
    name = 'load',
  ): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    const client = new Client(socket, onMessage, afterRead);
    const subscribed = new Promise<void>(resolve => {
      client.#subscribed = resolve;
    });
    const id = Buffer.from(name);
    const topic = Buffer.from(filter);
    // 3.1.1, 3.1: clean session, no keep-alive. 3.8: packet identifier 1, QoS 0.
    const hello = [0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, id.length, ...id];
    const ask = [0x82, 5 + topic.length, 0, 1, 0, topic.length, ...topic, 0];
    socket.write(Buffer.from([...hello, ...ask]));
    await subscribed;
    return client;
  }

  /** The other end: a client that has connected here, and publishes to us at QoS 0. */
  static accept(socket: Socket, onMessage: OnMessage, afterRead: () => void): Client {
    return new Client(socket.setNoDelay(), onMessage, afterRead);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.end(Buffer.from([0xe0, 0]));
  }

  #data(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 2 <= bytes.length) {
      // 2.2.3: all that comes here is shorter than 16,384 bytes.
      const low = bytes[at + 1]!;
      if (low > 0x7f && at + 3 > bytes.length) break;
      const body = at + (low > 0x7f ? 3 : 2);
      const end = body + (low > 0x7f ? (low & 0x7f) | (bytes[at + 2]! << 7) : low);
      if (end > bytes.length) break;
      const type = bytes[at]! >> 4;
      if (type === 3) this.#onMessage(bytes, body + 2 + bytes.readUInt16BE(body), end);
      else if (type === 9) this.#subscribed();
      // 3.2, 3.13: a client is answered.
      else if (type === 1) this.#socket.write(Buffer.from([0x20, 2, 0, 0]));
      else if (type === 12) this.#socket.write(Buffer.from([0xd0, 0]));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    this.#afterRead();
  }
}

/** A PUBLISH at QoS 0 with this payload (at most 100 bytes with its topic), as it goes over the wire (3.3). */
export function publication(topic: string, payload: Uint8Array): Buffer {
  const name = Buffer.from(topic);
  return Buffer.from([0x30, 2 + name.length + payload.length, 0, name.length, ...name, ...payload]);
}
