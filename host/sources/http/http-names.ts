import { PropertyImage } from '../../../runtime/index.js';
import { checkReceivedTopic, TEXT } from '../../protocols/mqtt-wire/text.js';
import { ByteCache } from '../byte-cache.js';
import type { Ingress } from '../source.js';

const PLACES = 1_024;
const PEER = Buffer.from('peer');
const CONTENT_TYPE = Buffer.from('content-type');

/** Who sent a frame, and as what: the key of a list of properties. */
export interface Sender {
  /** `peer`, a line feed, `content-type` (empty: there is none). */
  readonly key: Buffer;
  /** Where the line feed is. */
  readonly split: number;
}

export function senderOf(peer: string, contentType: string): Sender {
  return { key: Buffer.from(`${peer}\n${contentType}`, 'utf8'), split: Buffer.byteLength(peer) };
}

/** The bytes of a topic; undefined if it is none. */
export function topicBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'utf8');
  return checkReceivedTopic(bytes, 0, bytes.length) === TEXT.ok ? bytes : undefined;
}

/**
 * The numbers by which the ingress knows topics, and the properties `peer` and `content-type`. Bounded: what is new
 * takes over the number of something older, so a number is good until the next one is asked for and no longer. Who
 * keeps a frame keeps its names, and asks again before each push.
 */
export class HttpNames {
  readonly #ingress: Ingress;
  readonly #topics = new ByteCache(PLACES);
  readonly #topicNumbers = new Int32Array(PLACES).fill(-1);
  readonly #lists = new ByteCache(PLACES);
  readonly #listNumbers = new Int32Array(PLACES).fill(-1);
  readonly #image = new PropertyImage();

  constructor(ingress: Ingress) {
    this.#ingress = ingress;
  }

  /** The number of a topic; -1 if it is none. */
  topic(text: string): number {
    const bytes = topicBytes(text);
    return bytes === undefined ? -1 : this.topicOf(bytes);
  }

  /** @param bytes of `topicBytes` */
  topicOf(bytes: Buffer): number {
    const known = this.#topics.find(bytes, 0, bytes.length, 0);
    if (known >= 0) return this.#topicNumbers[known]!;
    const place = this.#topics.keep(bytes, 0, bytes.length, 0);
    const number = this.#topicNumbers[place]!;
    this.#topicNumbers[place] = this.#ingress.topicOf(
      bytes,
      0,
      bytes.length,
      number < 0 ? undefined : number,
    );
    return this.#topicNumbers[place]!;
  }

  /** The number of the list. @param contentType empty: there is none */
  properties(peer: string, contentType: string): number {
    return this.propertiesOf(senderOf(peer, contentType));
  }

  propertiesOf({ key, split }: Sender): number {
    const known = this.#lists.find(key, 0, key.length, 0);
    if (known >= 0) return this.#listNumbers[known]!;
    const image = this.#image;
    image.begin();
    image.add(PEER, 0, PEER.length, key, 0, split);
    if (split + 1 < key.length) image.add(CONTENT_TYPE, 0, CONTENT_TYPE.length, key, split + 1, key.length);
    image.end();
    const place = this.#lists.keep(key, 0, key.length, 0);
    const number = this.#listNumbers[place]!;
    this.#listNumbers[place] = this.#ingress.propertiesOf(image, number < 0 ? undefined : number);
    return this.#listNumbers[place]!;
  }
}
