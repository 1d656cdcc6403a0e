import { PropertyImage, Stamp } from '../../../runtime/index.js';
import { mediaType } from '../../protocols/coap/content-format.js';
import { OPTION, type Option, option, uintOption } from '../../protocols/coap/option.js';
import type { Ingress } from '../source.js';
import type { CoapTarget } from './client-config.js';

const KEYS = ['peer', 'path', 'content-type'].map(key => Buffer.from(key));
const image = new PropertyImage();

/** A representation that became a frame, or waits for room. */
export interface Value {
  readonly body: Buffer;
  readonly contentFormat: number | undefined;
  /** When it came, milliseconds since 1970. */
  readonly at: number;
}

/** What a device tags, so that it need not be sent again. */
export interface Tagged {
  readonly etag: Buffer;
  readonly body: Buffer;
  readonly contentFormat: number | undefined;
}

/** One path of one device, read again and again. Its changing fields belong to its device. */
export class Reading {
  /** As it was written. */
  readonly path: string;
  readonly isObserved: boolean;
  /** Uri-Path, Uri-Query, Accept. */
  readonly options: readonly Option[];
  readonly #topic: number;
  readonly #ingress: Ingress;
  #properties: number | undefined;
  #propertiesAre = '';
  readonly #time = new Stamp();

  /** Queued or asked. */
  isUnderWay = false;
  /** What it was last, for a device that tags its representations. */
  last: Tagged | undefined;
  /** Of an observation: when to ask, for the first time or again; steady clock. */
  dueAt = 0;
  /** Failures since the last answer. */
  attempt = 0;
  /** Number and time of the newest notification; -1: none. */
  newest = -1;
  newestAt = 0;

  /** @param topic number of its topic at the ingress */
  constructor(target: CoapTarget, isObserved: boolean, topic: number, ingress: Ingress) {
    this.path = target.path;
    this.isObserved = isObserved;
    this.options = optionsOf(target);
    this.#topic = topic;
    this.#ingress = ingress;
  }

  /** False: there is no room. @throws SluiceError SLUICE_FRAME_TOO_LARGE */
  push(address: string, { body, contentFormat, at }: Value): boolean {
    const properties = this.#propertiesOf(address, contentFormat);
    return this.#ingress.push(this.#topic, this.#time.set(at), body, 0, body.length, properties) !== 0;
  }

  /** One list for each reading, however often a device changes its mind. */
  #propertiesOf(address: string, contentFormat: number | undefined): number {
    const are = `${address} ${contentFormat}`;
    if (this.#properties !== undefined && this.#propertiesAre === are) return this.#properties;
    const values = [address, this.path];
    if (contentFormat !== undefined) values.push(mediaType(contentFormat));
    image.begin();
    for (const [n, value] of values.entries()) {
      const key = KEYS[n]!;
      const bytes = Buffer.from(value, 'utf8');
      image.add(key, 0, key.length, bytes, 0, bytes.length);
    }
    image.end();
    this.#properties = this.#ingress.propertiesOf(image, this.#properties);
    this.#propertiesAre = are;
    return this.#properties;
  }
}

/** Segments and queries of a path, decoded. @throws URIError a `%` that is not followed by two hexadecimal digits */
export function partsOf(path: string): { readonly segments: string[]; readonly queries: string[] } {
  const [before = '', ...behind] = path.split('?');
  const split = (text: string, by: string): string[] =>
    text
      .split(by)
      .filter(part => part !== '')
      .map(decodeURIComponent);
  return { segments: split(before, '/'), queries: split(behind.join('?'), '&') };
}

function optionsOf({ path, accept }: CoapTarget): Option[] {
  const { segments, queries } = partsOf(path);
  return [
    ...segments.map(segment => option(OPTION.uriPath, Buffer.from(segment, 'utf8'))),
    ...queries.map(query => option(OPTION.uriQuery, Buffer.from(query, 'utf8'))),
    ...(accept === undefined ? [] : [uintOption(OPTION.accept, accept)]),
  ];
}
