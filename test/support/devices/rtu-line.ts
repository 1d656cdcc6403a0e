import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** A read request as a unit on the line sees it. */
export interface RtuRequest {
  readonly unit: number;
  readonly code: number;
  readonly first: number;
  readonly count: number;
}

const REQUEST_BYTES = 8;

/** CRC-16 of MODBUS over Serial Line V1.02, 6.2.2: bit by bit, as the specification draws it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

/** Unit and PDU with their check sum. */
export function rtuFrame(unit: number, pdu: readonly number[]): Buffer {
  const frame = Buffer.alloc(pdu.length + 3);
  frame[0] = unit;
  frame.set(pdu, 1);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

/** The requests in a stream of bytes; a wrong check sum is an error of the one who asks. */
export function requestsIn(take: (request: RtuRequest) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return chunk => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= REQUEST_BYTES; rest = rest.subarray(REQUEST_BYTES)) {
      if (rest.readUInt16LE(6) !== crc16(rest.subarray(0, 6)))
        throw new Error('a request with a bad check sum');
      take({
        unit: rest.readUInt8(0),
        code: rest.readUInt8(1),
        first: rest.readUInt16BE(2),
        count: rest.readUInt16BE(4),
      });
    }
  };
}

/** A device server by hand: RTU frames over TCP. */
export class RtuServer {
  readonly requests: RtuRequest[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  readonly #server: Server;

  constructor(answer: (request: RtuRequest, line: Writable, server: RtuServer) => void) {
    this.#server = createServer({ noDelay: true }, socket => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      const take = (request: RtuRequest): void => {
        this.requests.push(request);
        answer(request, socket, this);
      };
      socket.on('data', requestsIn(take));
    });
  }

  async start(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
