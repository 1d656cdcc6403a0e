import { PropertyImage } from '../../../runtime/index.js';
import type { WriteRequest } from '../../protocols/modbus-write.js';
import { ByteCache } from '../byte-cache.js';
import type { Ingress } from '../source.js';

/** Ranges that are remembered; what devices write is the same few again and again, but they may write anything. */
const PLACES = 1_024;
const PEER = Buffer.from('peer');

/** A connection, as its frames name it. */
export interface Writer {
  readonly peer: string;
  /** Number of its properties; -1: none yet. */
  properties: number;
}

/**
 * The numbers by which the ingress knows the topics of writes, `<source>/<unit>/<function>/<first>-<last>`:
 * those of reads of the same addresses. Bounded: what is new takes over the number of something older.
 */
export class WriteTopics {
  readonly #prefix: string;
  readonly #ingress: Ingress;
  readonly #known = new ByteCache(PLACES);
  readonly #numbers = new Int32Array(PLACES).fill(-1);
  readonly #key = new Uint8Array(5);
  readonly #image = new PropertyImage();
  readonly #freeLists: number[] = [];

  constructor(source: string, ingress: Ingress) {
    this.#prefix = `${source}/`;
    this.#ingress = ingress;
  }

  /** `peer`: the address of the device. */
  propertiesOf(writer: Writer): number {
    if (writer.properties >= 0) return writer.properties;
    const image = this.#image;
    const peer = Buffer.from(writer.peer);
    image.begin();
    image.add(PEER, 0, PEER.length, peer, 0, peer.length);
    image.end();
    writer.properties = this.#ingress.propertiesOf(image, this.#freeLists.pop());
    return writer.properties;
  }

  /** The connection is gone; what it handed over keeps its strings. */
  release(writer: Writer): void {
    if (writer.properties >= 0) this.#freeLists.push(writer.properties);
    writer.properties = -1;
  }

  of({ unit, readCode, first, count }: WriteRequest): number {
    const key = this.#key;
    key[0] = unit;
    key[1] = first >> 8;
    key[2] = first;
    key[3] = count >> 8;
    key[4] = count;
    const known = this.#known.find(key, 0, key.length, readCode);
    if (known >= 0) return this.#numbers[known]!;
    const place = this.#known.keep(key, 0, key.length, readCode);
    const text = Buffer.from(`${this.#prefix}${unit}/${readCode}/${first}-${first + count - 1}`);
    const number = this.#numbers[place]!;
    if (number >= 0) return this.#ingress.topicOf(text, 0, text.length, number);
    this.#numbers[place] = this.#ingress.topicOf(text, 0, text.length);
    return this.#numbers[place]!;
  }
}
