import { alignUp } from '../batch/slab.js';
import { BLOCK, MESSAGE, PROPERTY } from '../contract.js';
import type { BlockObject, MessageObject, Property } from './object-guest.js';

/** Lays objects out as the Canonical ABI does, in memory of its own that grows. */
export class ObjectWriter {
  u8 = new Uint8Array(1 << 16);
  u32 = new Uint32Array(this.u8.buffer);
  f64 = new Float64Array(this.u8.buffer);
  at = 0;

  alloc(size: number, align: number): number {
    const at = alignUp(this.at, align);
    this.at = at + size;
    if (this.at > this.u8.length) {
      let length = this.u8.length;
      while (length < this.at) length *= 2;
      const grown = new Uint8Array(length);
      grown.set(this.u8);
      this.u8 = grown;
      this.u32 = new Uint32Array(grown.buffer);
      this.f64 = new Float64Array(grown.buffer);
    }
    this.u8.fill(0, at, this.at);
    return at;
  }

  /** Copies bytes and stores pointer and element count at `to`. */
  bytes(to: number, bytes: Uint8Array, elementSize = 1): void {
    const at = this.alloc(bytes.length, 16);
    this.u8.set(bytes, at);
    this.u32[to >> 2] = at;
    this.u32[(to >> 2) + 1] = bytes.length / elementSize;
  }

  text(to: number, text: string): void {
    this.bytes(to, Buffer.from(text, 'utf8'));
  }

  u64(to: number, value: bigint): void {
    this.u32[to >> 2] = Number(value & 0xffffffffn);
    this.u32[(to >> 2) + 1] = Number(value >> 32n);
  }

  message(to: number, message: MessageObject): void {
    this.text(to + MESSAGE.topic, message.topic);
    this.bytes(to + MESSAGE.payload, message.payload);
    this.u64(to + MESSAGE.timestamp, message.timestamp);
    this.text(to + MESSAGE.contentType, message.contentType);
    this.u8[to + MESSAGE.qos] = message.qos;
    this.u8[to + MESSAGE.retain] = message.retain ? 1 : 0;
    this.#properties(to + MESSAGE.properties, message.properties);
  }

  block(to: number, block: BlockObject): void {
    this.text(to + BLOCK.source, block.source);
    this.text(to + BLOCK.topic, block.topic);
    this.u64(to + BLOCK.timestamp, block.timestamp);
    this.f64[(to + BLOCK.rate) >> 3] = block.rate;
    this.u32[(to + BLOCK.channels) >> 2] = block.channels;
    const { tag, val } = block.data;
    this.u8[to + BLOCK.format] = tag === 'f32' ? 1 : 0;
    this.bytes(
      to + BLOCK.data,
      new Uint8Array(val.buffer, val.byteOffset, val.byteLength),
      tag === 'f32' ? 4 : 1,
    );
  }

  #properties(to: number, list: readonly Property[]): void {
    const at = this.alloc(list.length * PROPERTY.size, PROPERTY.align);
    this.u32[to >> 2] = at;
    this.u32[(to >> 2) + 1] = list.length;
    for (const [index, [key, value]] of list.entries()) {
      this.text(at + index * PROPERTY.size + PROPERTY.key, key);
      this.text(at + index * PROPERTY.size + PROPERTY.value, value);
    }
  }
}
