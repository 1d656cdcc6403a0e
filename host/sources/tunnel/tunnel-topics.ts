import { PropertyImage } from '../../../runtime/index.js';
import { checkReceivedTopic, defectText, TEXT } from '../../protocols/mqtt-wire/text.js';
import { ByteCache } from '../byte-cache.js';
import type { Ingress } from '../source.js';
import type { TunnelConnection } from './tunnel-connection.js';

/** Topics that clients name themselves and that are remembered, and the longest that is. */
const PLACES = 2_048;
const LONGEST = 256;
const PEER = Buffer.from('peer');
const CLIENT = Buffer.from('client');

/**
 * The numbers by which the ingress knows topics and properties. Each connection has one of either, which go
 * to another connection when it ends; topics that clients name are found by their bytes. All bounded.
 */
export class TunnelTopics {
  /** After -1: what is wrong with the topic. */
  defect = '';
  readonly #source: string;
  readonly #ingress: Ingress;
  readonly #known = new ByteCache(PLACES);
  /** The last is of those that are too long to be kept. */
  readonly #numbers = new Int32Array(PLACES + 1).fill(-1);
  readonly #image = new PropertyImage();
  readonly #freeTopics: number[] = [];
  readonly #freeLists: number[] = [];

  constructor(source: string, ingress: Ingress) {
    this.#source = source;
    this.#ingress = ingress;
  }

  /** The number of a topic that a client names; -1 if it is none. */
  named(bytes: Uint8Array, start: number, end: number): number {
    const place = this.#known.find(bytes, start, end, 0);
    if (place >= 0) return this.#numbers[place]!;
    const defect = checkReceivedTopic(bytes, start, end);
    if (defect !== TEXT.ok) {
      this.defect = defectText(defect);
      return -1;
    }
    const at = end - start > LONGEST ? PLACES : this.#known.keep(bytes, start, end, 0);
    const number = this.#numbers[at]!;
    if (number >= 0) return this.#ingress.topicOf(bytes, start, end, number);
    this.#numbers[at] = this.#ingress.topicOf(bytes, start, end);
    return this.#numbers[at]!;
  }

  /** Topic of a client that names none: `<source>/<client>`. */
  topicOf(connection: TunnelConnection): number {
    if (connection.topic >= 0) return connection.topic;
    const text = Buffer.from(`${this.#source}/${connection.session!.client}`);
    connection.topic = this.#ingress.topicOf(text, 0, text.length, this.#freeTopics.pop());
    return connection.topic;
  }

  /** `peer` and `client`. */
  propertiesOf(connection: TunnelConnection): number {
    if (connection.properties >= 0) return connection.properties;
    const image = this.#image;
    const peer = Buffer.from(connection.peer);
    const client = Buffer.from(connection.session!.client);
    image.begin();
    image.add(PEER, 0, PEER.length, peer, 0, peer.length);
    image.add(CLIENT, 0, CLIENT.length, client, 0, client.length);
    image.end();
    connection.properties = this.#ingress.propertiesOf(image, this.#freeLists.pop());
    return connection.properties;
  }

  /** The connection is gone; what it handed over keeps its strings. */
  release(connection: TunnelConnection): void {
    if (connection.topic >= 0) this.#freeTopics.push(connection.topic);
    if (connection.properties >= 0) this.#freeLists.push(connection.properties);
    connection.topic = connection.properties = -1;
  }
}
