/**
 * A fast Modbus TCP device in a process of its own: answers reads of holding registers with values that
 * depend on unit and register only. Started by ends.ts; tells its port, and its answers when asked.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const REQUEST = 12;
const REGISTERS = 125;
/** By unit: the values of its registers, as they go over the wire. */
const values = Array.from({ length: 256 }, (_, unit) => {
  const bytes = Buffer.alloc(REGISTERS * 2);
  for (let i = 0; i < REGISTERS; i++) bytes.writeUInt16BE((unit * 257 + i * 1234) & 0xffff, i * 2);
  return bytes;
});
let answers = 0;

const server = createServer({ noDelay: true }, (socket: Socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = Math.floor(bytes.length / REQUEST);
    rest = bytes.subarray(whole * REQUEST);
    const out = Buffer.allocUnsafe(whole * (9 + REGISTERS * 2));
    let at = 0;
    for (let i = 0; i < whole; i++) at = answer(bytes, i * REQUEST, out, at);
    if (at > 0) socket.write(out.subarray(0, at));
    answers += whole;
  });
});

/** MODBUS Application Protocol V1.1b3, 6.3. */
function answer(request: Buffer, from: number, out: Buffer, at: number): number {
  const unit = request[from + 6]!;
  const length = Math.min(request.readUInt16BE(from + 10), REGISTERS) * 2;
  request.copy(out, at, from, from + 8);
  out.writeUInt16BE(length + 3, at + 4);
  out[at + 8] = length;
  values[unit]!.copy(out, at + 9, 0, length);
  return at + 9 + length;
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.({ answers }));
process.on('disconnect', () => process.exit());
