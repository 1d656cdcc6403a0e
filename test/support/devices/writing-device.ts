import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Waiting } from './gateway-peers.js';

/** A device by hand that connects to a Modbus TCP server and writes what the test wants. */
export class WritingDevice extends Waiting {
  readonly socket: Socket;
  /** Answers in hex, whole ADUs. */
  readonly answers: string[] = [];
  closed = false;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
    socket.on('data', chunk => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= 6 && this.#rest.length >= 6 + this.#rest.readUInt16BE(4)) {
        const size = 6 + this.#rest.readUInt16BE(4);
        this.answers.push(this.#rest.toString('hex', 0, size));
        this.#rest = this.#rest.subarray(size);
      }
      this.changed();
    });
  }

  static async connect(port: number): Promise<WritingDevice> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new WritingDevice(socket);
  }

  /** Sends one request for each of these PDUs, transactions 1, 2, 3, ..., all in one write. */
  send(...pdus: readonly (readonly number[])[]): void {
    this.socket.write(Buffer.concat(pdus.map((pdu, n) => request(n + 1, pdu))));
  }

  async answered(count: number): Promise<readonly string[]> {
    await this.until(
      () => `${count} answers (${this.answers.join(', ')} came)`,
      () => this.answers.length >= count,
    );
    return this.answers;
  }

  async isClosed(): Promise<void> {
    await this.until('the end of the connection', () => this.closed);
  }
}

/** Another device asks and is answered: what has been said to the others by now has arrived. */
export async function roundTrip(port: number): Promise<void> {
  const device = await WritingDevice.connect(port);
  device.send([3, 0, 0, 0, 1]);
  await device.answered(1);
  device.send([3, 0, 0, 0, 1]);
  await device.answered(2);
  device.socket.destroy();
}

/** An ADU with this PDU to unit 1. */
export function request(transaction: number, pdu: readonly number[], unit = 1): Buffer {
  const bytes = Buffer.alloc(7 + pdu.length);
  bytes.writeUInt16BE(transaction, 0);
  bytes.writeUInt16BE(pdu.length + 1, 4);
  bytes.writeUInt8(unit, 6);
  bytes.set(pdu, 7);
  return bytes;
}

/** PDU of a write of one register. */
export function register(address: number, value: number): number[] {
  return [6, address >> 8, address & 0xff, value >> 8, value & 0xff];
}
