/** Numbers in registers, byte by byte: what src/decode.h has to give. */
export const NUMBER_TYPES = ['u16', 'i16', 'u32', 'i32', 'f32', 'f64'] as const;
export const ORDERS = ['abcd', 'cdab', 'badc', 'dcba'] as const;

export type NumberType = (typeof NUMBER_TYPES)[number];
export type Order = (typeof ORDERS)[number];

const SIZES: Readonly<Record<NumberType, number>> = { u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, f64: 8 };

export function numberSize(type: NumberType): number {
  return SIZES[type];
}

/** `count` numbers, each `stride` bytes behind the last one. */
export function decode(
  bytes: Uint8Array,
  count: number,
  stride: number,
  type: NumberType,
  order: Order,
): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => one(bytes, i * stride, type, order));
}

function one(bytes: Uint8Array, at: number, type: NumberType, order: Order): number {
  const size = SIZES[type];
  const view = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < size; i++) view.setUint8(i, bytes[at + placeOf(i, size, order)] ?? 0);
  switch (type) {
    case 'u16':
      return view.getUint16(0);
    case 'i16':
      return view.getInt16(0);
    case 'u32':
      return Math.fround(view.getUint32(0));
    case 'i32':
      return Math.fround(view.getInt32(0));
    case 'f32':
      return view.getFloat32(0);
    case 'f64':
      return Math.fround(view.getFloat64(0));
  }
}

/** Where byte `i` of a number, the highest one first, lies on the wire. */
function placeOf(i: number, size: number, order: Order): number {
  const word = Math.floor(i / 2);
  const last = size / 2 - 1;
  const low = i % 2;
  switch (order) {
    case 'abcd':
      return i;
    case 'cdab':
      return (last - word) * 2 + low;
    case 'badc':
      return word * 2 + (1 - low);
    case 'dcba':
      return size - 1 - i;
  }
}
