import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type IServiceVector, ServerTCP } from 'modbus-serial';

/** A simulated PLC on real Modbus TCP: modbus-serial's server over these registers and bits. */
export async function startPlc(vector: IServiceVector): Promise<{ port: number; stop(): Promise<void> }> {
  // A number 0 means 502 to it; the text reaches the system, which chooses a free port.
  const options = { host: '127.0.0.1', port: '0' as unknown as number, unitID: 255 };
  const server = new ServerTCP(vector, options);
  await once(server, 'initialized');
  const { _server: tcp } = server as unknown as { _server: Server };
  return {
    port: (tcp.address() as AddressInfo).port,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

/** A read request as a device sees it. */
export interface SeenRequest {
  readonly transaction: number;
  readonly unit: number;
  readonly code: number;
  readonly first: number;
  readonly count: number;
}

/** A device by hand: gets each request, and does to the socket what the test wants. */
export class RawDevice {
  readonly sockets = new Set<Socket>();
  /** Connections so far. */
  connections = 0;
  readonly requests: SeenRequest[] = [];
  /** Requests that came in one chunk, chunk by chunk. */
  readonly chunks: number[] = [];
  readonly #server: Server;

  constructor(answer: (request: SeenRequest, socket: Socket, device: RawDevice) => void) {
    this.#server = createServer({ noDelay: true }, socket => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      let rest = Buffer.alloc(0);
      socket.on('data', chunk => {
        rest = Buffer.concat([rest, chunk]);
        this.chunks.push(Math.floor(rest.length / 12));
        for (; rest.length >= 12; rest = rest.subarray(12)) {
          const request = {
            transaction: rest.readUInt16BE(0),
            unit: rest.readUInt8(6),
            code: rest.readUInt8(7),
            first: rest.readUInt16BE(8),
            count: rest.readUInt16BE(10),
          };
          this.requests.push(request);
          answer(request, socket, this);
        }
      });
    });
  }

  /** @param port 0: one that is free */
  async start(port = 0, host = '127.0.0.1'): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** An ADU around a PDU; what is wrong with it is said by name. */
export function adu(
  request: SeenRequest,
  pdu: readonly number[],
  wrong: { transaction?: number; protocol?: number; length?: number; unit?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(7 + pdu.length);
  bytes.writeUInt16BE(wrong.transaction ?? request.transaction, 0);
  bytes.writeUInt16BE(wrong.protocol ?? 0, 2);
  bytes.writeUInt16BE(wrong.length ?? pdu.length + 1, 4);
  bytes.writeUInt8(wrong.unit ?? request.unit, 6);
  bytes.set(pdu, 7);
  return bytes;
}

/** The PDU of a right answer: register n holds n, low byte only; bits are all zero. */
export function rightPdu({ code, first, count }: SeenRequest): number[] {
  if (code <= 2) return [code, (count + 7) >> 3, ...new Array<number>((count + 7) >> 3).fill(0)];
  const data = Array.from({ length: count }, (_, i) => [0, (first + i) & 0xff]).flat();
  return [code, count * 2, ...data];
}

/** A right answer. */
export function answerTo(request: SeenRequest): Buffer {
  return adu(request, rightPdu(request));
}

/** An exception answer (MODBUS Application Protocol V1.1b3, 7). */
export function exceptionTo(request: SeenRequest, exception: number): Buffer {
  return adu(request, [request.code | 0x80, exception]);
}

/** A port on which nothing listens. */
export async function unusedPort(): Promise<number> {
  const device = new RawDevice(() => {});
  const port = await device.start();
  await device.stop();
  return port;
}
