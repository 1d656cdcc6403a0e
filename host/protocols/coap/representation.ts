import { SluiceError } from '../../../runtime/index.js';
import { type Block, LAST_BLOCK } from './block.js';
import type { Message } from './message.js';

/** What became of an answer: there is more to ask for, all is there, or what is read became another one meanwhile. */
export type Progress = 'more' | 'whole' | 'changed';

/**
 * What a device answers to GET, put together from its blocks in their order. Nothing is glued together that does not
 * belong together: each block has to begin where the one before it ended, and to carry its ETag.
 * Source: RFC 7959, 2.4 and 2.8.
 */
export class Representation {
  readonly #maxBody: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #block: Block | undefined;
  #etag: Buffer | undefined;
  #contentFormat: number | undefined;

  constructor(maxBody: number) {
    this.#maxBody = maxBody;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  get etag(): Buffer | undefined {
    return this.#etag;
  }

  get contentFormat(): number | undefined {
    return this.#contentFormat;
  }

  /** The block to ask for; undefined: all of it. */
  get next(): Block | undefined {
    if (this.#block === undefined) return undefined;
    const { size } = this.#block;
    return { number: this.#length / size, more: false, size };
  }

  /** A copy of all bytes, if there are several blocks; else those of the datagram. */
  whole(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  /** @throws SluiceError SLUICE_SOURCE_PROTOCOL, SLUICE_FRAME_TOO_LARGE */
  take({ block2, etag, contentFormat, payload }: Message): Progress {
    const isFirst = this.#block === undefined;
    if (!isFirst && !isSame(etag, this.#etag)) return 'changed';
    if (block2 === undefined) {
      if (!isFirst) throw lie(`no block, where byte ${this.#length} and what follows it was asked for`);
    } else this.#check(block2, payload.length);
    if (this.#length + payload.length > this.#maxBody) {
      const what = `the representation has more than ${this.#maxBody} bytes`;
      throw new SluiceError('SLUICE_FRAME_TOO_LARGE', what);
    }
    if (isFirst) {
      this.#etag = etag;
      this.#contentFormat = contentFormat;
    }
    this.#block = block2;
    this.#length += payload.length;
    // A copy of what waits for more: a device may send datagrams that are large around few bytes.
    this.#chunks.push(block2?.more === true ? Buffer.from(payload) : payload);
    return block2?.more === true ? 'more' : 'whole';
  }

  #check({ number, more, size }: Block, bytes: number): void {
    if (number * size !== this.#length)
      throw lie(`block ${number} of ${size} bytes, where byte ${this.#length} and what follows it is next`);
    if (this.#block !== undefined && size > this.#block.size)
      throw lie(`a block of ${size} bytes, where ${this.#block.size} were asked for`);
    if (more ? bytes !== size : bytes > size) throw lie(`a block of ${size} bytes with ${bytes} bytes in it`);
    if (more && number === LAST_BLOCK) throw lie('a last block that is not the last');
  }
}

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}

function lie(what: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', what);
}
