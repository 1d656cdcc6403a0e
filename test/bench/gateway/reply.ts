/** Where in a reply the two registers are that hold its sequence. */
export const SEQUENCE_AT = 9;

const HEAD = '{"unit":1,"function":3,"first":0,"values":[';
/** Registers 2 to 11: values of every length. */
const REGISTERS = [7, 42, 365, 1450, 65535, 0, 600, 12, 30000, 8];
const TAIL = `,${REGISTERS.join(',')}]}`;

/** A Modbus TCP reply with 12 holding registers, for a topic that ends in `/1/3/0-11`. */
export function modbusReply(): Buffer {
  const reply = Buffer.alloc(SEQUENCE_AT + 24);
  reply.writeUInt16BE(reply.length - 6, 4);
  reply.set([1, 3, 24], 6);
  for (const [index, value] of REGISTERS.entries()) reply.writeUInt16BE(value, SEQUENCE_AT + 4 + index * 2);
  return reply;
}

/** True if `bytes[start, end)` is the JSON of the reply with this sequence. */
export function isItsJson(bytes: Buffer, start: number, end: number, sequence: number): boolean {
  // All of it, though not of each: the witness must not be what is waited for.
  if (sequence % 64 === 0)
    return bytes.toString('latin1', start, end) === `${HEAD}${sequence >>> 16},${sequence & 0xffff}${TAIL}`;
  if (numberAt(bytes, start + HEAD.length) !== sequence >>> 16) return false;
  const comma = bytes.indexOf(0x2c, start + HEAD.length);
  return numberAt(bytes, comma + 1) === (sequence & 0xffff);
}

function numberAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; bytes[i]! >= 0x30 && bytes[i]! <= 0x39; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}
