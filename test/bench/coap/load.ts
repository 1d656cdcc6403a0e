/**
 * CoAP devices in a process of their own. `{port, count}`: so many confirmable POSTs, a fixed number of them on their
 * way, each answered with 2.04 under its own id and token; answers how it went.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One request of a load. */
export interface LoadOrder {
  readonly port: number;
  readonly count: number;
}

export interface LoadReport {
  readonly answered: number;
  /** Sent again because no answer came. */
  readonly repeated: number;
  /** Anything but a 2.04 to what was asked. */
  readonly wrong: number;
}

/** A message id may come again after 247 s only (RFC 7252, 4.8.2): so many ports have two million of them. */
const PORTS = 32;
const ON_THEIR_WAY = 48;
const AGAIN_MS = 500;
const PAYLOAD = '{"sensor":"t1","value":21.5}';

/** Header, token of four bytes, Uri-Path "in", Content-Format 50, marker, payload. */
const REQUEST = Buffer.concat([
  Buffer.from([0x44, 0x02, 0, 0, 0, 0, 0, 0, 0xb2, 0x69, 0x6e, 0x11, 50, 0xff]),
  Buffer.from(PAYLOAD),
]);
/** Acknowledgement with 2.04. */
const ANSWER_HEAD = [0x64, 0x44] as const;

class Device {
  readonly #socket: Socket;
  #id = 0;
  /** By message id: when it was sent. */
  readonly open = new Map<number, number>();

  constructor(socket: Socket, answered: (device: Device, isRight: boolean) => void) {
    this.#socket = socket;
    socket.on('message', bytes => {
      const id = bytes.readUInt16BE(2);
      if (!this.open.delete(id)) return; // The answer to a repeat.
      const isRight =
        bytes.length === 8 &&
        bytes[0] === ANSWER_HEAD[0] &&
        bytes[1] === ANSWER_HEAD[1] &&
        bytes.readUInt32BE(4) === id + 1;
      answered(this, isRight);
    });
  }

  next(port: number): void {
    this.#id = (this.#id + 1) & 0xffff;
    this.send(port, this.#id);
  }

  send(port: number, id: number): void {
    const bytes = Buffer.from(REQUEST);
    bytes.writeUInt16BE(id, 2);
    bytes.writeUInt32BE(id + 1, 4);
    this.open.set(id, performance.now());
    this.#socket.send(bytes, port, '127.0.0.1');
  }
}

const devices: Device[] = [];
let finish: () => void = () => {};
let order: LoadOrder = { port: 0, count: 0 };
let sent = 0;
let report = { answered: 0, repeated: 0, wrong: 0 };

function answered(device: Device, isRight: boolean): void {
  if (isRight) report.answered += 1;
  else report.wrong += 1;
  if (sent < order.count) {
    sent += 1;
    device.next(order.port);
  } else if (report.answered + report.wrong === order.count) finish();
}

async function run(): Promise<LoadReport> {
  report = { answered: 0, repeated: 0, wrong: 0 };
  sent = Math.min(ON_THEIR_WAY, order.count);
  const again = setInterval(() => {
    const before = performance.now() - AGAIN_MS;
    for (const device of devices) {
      for (const [id, at] of device.open) {
        if (at > before) continue;
        report.repeated += 1;
        device.send(order.port, id);
      }
    }
  }, AGAIN_MS);
  const { promise, resolve } = Promise.withResolvers<void>();
  finish = resolve;
  for (let n = 0; n < sent; n++) devices[n % PORTS]!.next(order.port);
  await promise;
  clearInterval(again);
  return report;
}

for (let n = 0; n < PORTS; n++) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  devices.push(new Device(socket, answered));
}
process.on('message', (next: LoadOrder) => {
  order = next;
  void run().then(result => process.send!(result));
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
