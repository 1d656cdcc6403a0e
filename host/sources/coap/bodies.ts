import type { Block } from '../../protocols/coap/block.js';
import { CODE } from '../../protocols/coap/code.js';
import { EXCHANGE_LIFETIME_MS } from './exchanges.js';

/** RFC 7252, 4.8.2: MAX_TRANSMIT_WAIT. By then the sender of a block that was not answered has given it up. */
const GIVEN_UP_MS = 93_000;

/** Why a body does not go on. */
type Refused =
  | typeof CODE.badRequest
  | typeof CODE.incomplete
  | typeof CODE.unauthorized
  | typeof CODE.tooLarge
  | typeof CODE.unavailable;

export interface BodyCeilings {
  /** Bytes of one. */
  readonly maxBody: number;
  /** Bytes of all. */
  readonly memory: number;
  /** Most of them. */
  readonly bodies: number;
  /** What one address may have of the two: it must not use up those of the others. */
  readonly peerShare: number;
}

/** Blocks are put together in pieces of so many bytes: a block of 16 bytes by itself would cost a hundred more. */
const PIECE = 1_024;
/** What an address may have of them that has not shown that it is there: 64 KiB. */
const PIECES_OF_UNPROVEN = 64;

interface Body {
  readonly address: string;
  readonly pieces: Buffer[];
  size: number;
  at: number;
}

/** Bytes of unfinished bodies of an address that has not shown that it is there. */
export const MOST_OF_UNPROVEN = PIECES_OF_UNPROVEN * PIECE;

/** What became of a block: the whole body, or the code of the answer. */
export type BlockOutcome = { readonly body: Buffer } | { readonly code: typeof CODE.continue | Refused };

/**
 * Bodies that come in blocks, in their order, one for each sender and path. Bounded: the one whose last block came
 * longest ago makes room, of an address that has more than its share one of its own. Source: RFC 7959, 2.5.
 *
 * An address that has not shown that it is there makes only bodies go that their senders have given up, and is asked to
 * show it (4.01 with Echo): it may be made up, or stand for many devices behind one router, which would make each other
 * begin again without an end.
 */
export class Bodies {
  readonly #ceilings: BodyCeilings;
  readonly #mostOfOne: number;
  readonly #memoryOfOne: number;
  readonly #evicted: (address: string, why: string) => void;
  /** By when their last block came. */
  readonly #byKey = new Map<string, Body>();
  /** Of each address that has some. */
  readonly #byAddress = new Map<string, { bodies: number; bytes: number; pieces: number }>();
  #held = 0;

  /** @param evicted one of this address had to make room */
  constructor(ceilings: BodyCeilings, evicted: (address: string, why: string) => void) {
    this.#ceilings = ceilings;
    this.#evicted = evicted;
    this.#mostOfOne = Math.max(1, Math.floor(ceilings.bodies * ceilings.peerShare));
    // One body has to fit, whatever its share.
    this.#memoryOfOne = Math.max(ceilings.memory * ceilings.peerShare, ceilings.maxBody);
  }

  /** Bytes that are held. */
  get held(): number {
    return this.#held;
  }

  /**
   * @param name of the body among those of its address
   * @param isProven the address has shown that it is there; else 4.01 says that it has to before it may have more, or
   * the room of others. What it has of the body stays: it goes on with the same block
   */
  take(
    address: string,
    name: string,
    block: Block,
    payload: Buffer,
    now: number,
    isProven: boolean,
  ): BlockOutcome {
    const { number, more, size } = block;
    const key = `${address} ${name}`;
    // 2.2: all but the last are full.
    if (more ? payload.length !== size : payload.length > size) return this.#end(key, CODE.badRequest);
    let body = this.#byKey.get(key);
    if (number === 0) {
      this.#drop(key);
      body = { address, pieces: [], size: 0, at: now };
    }
    // The size may shrink on the way: what counts is where the block begins.
    if (body === undefined || number * size !== body.size) return this.#end(key, CODE.incomplete);
    if (body.size + payload.length > this.#ceilings.maxBody) return this.#end(key, CODE.tooLarge);
    body.at = now;
    const own = this.#byAddress.get(address) ?? { bodies: 0, bytes: 0, pieces: 0 };
    if (!this.#byKey.delete(key)) own.bodies += 1;
    this.#byKey.set(key, body);
    this.#byAddress.set(address, own);
    const isPieceFull = body.size % PIECE === 0;
    const pieces = isProven || !isPieceFull ? Number.POSITIVE_INFINITY : PIECES_OF_UNPROVEN;
    // Bodies whose last block came at this time or before may make room.
    const before = isProven ? Number.POSITIVE_INFINITY : now - GIVEN_UP_MS;
    const isTooMuch = (): boolean =>
      own.bodies > this.#mostOfOne || own.bytes + payload.length > this.#memoryOfOne || own.pieces >= pieces;
    while (isTooMuch())
      if (!this.#dropOldestOf(address, key, before)) {
        if (isProven) break;
        return this.#askForProof(key, body);
      }
    this.#makeRoom(key, payload.length, now, before);
    if (this.#isFull(payload.length)) {
      if (!isProven && this.#byKey.size > 1) return this.#askForProof(key, body);
      return this.#end(key, CODE.unavailable);
    }
    // Sizes of blocks are powers of two up to that of a piece, and none but the last is shorter: no block is in two.
    if (isPieceFull) {
      body.pieces.push(Buffer.allocUnsafeSlow(PIECE));
      own.pieces += 1;
    }
    payload.copy(body.pieces.at(-1)!, body.size % PIECE);
    body.size += payload.length;
    this.#held += payload.length;
    own.bytes += payload.length;
    if (more) return { code: CODE.continue };
    const whole = Buffer.concat(body.pieces, body.size);
    this.#drop(key);
    return { body: whole };
  }

  #end(key: string, code: Refused): BlockOutcome {
    this.#drop(key);
    return { code };
  }

  #askForProof(key: string, { size }: Body): BlockOutcome {
    if (size === 0) this.#drop(key);
    return { code: CODE.unauthorized };
  }

  #isFull(bytes: number): boolean {
    const { bodies, memory } = this.#ceilings;
    return this.#byKey.size > bodies || this.#held + bytes > memory;
  }

  #drop(key: string): void {
    const body = this.#byKey.get(key);
    if (body === undefined) return;
    this.#byKey.delete(key);
    this.#held -= body.size;
    const own = this.#byAddress.get(body.address);
    if (own === undefined) return;
    own.bodies -= 1;
    own.bytes -= body.size;
    own.pieces -= body.pieces.length;
    if (own.bodies === 0) this.#byAddress.delete(body.address);
  }

  get #shareText(): string {
    return `this address has more than ${this.#mostOfOne} of them or ${this.#memoryOfOne} bytes (\`peerShare\` of \`bodies\` and \`memory\`), or has not shown that it is there and has ${MOST_OF_UNPROVEN}`;
  }

  /** False: there is none but this one of which nothing came after `before`. */
  #dropOldestOf(address: string, own: string, before: number): boolean {
    for (const [key, body] of this.#byKey) {
      if (body.at > before) return false;
      if (body.address !== address || key === own) continue;
      this.#drop(key);
      this.#evicted(address, this.#shareText);
      return true;
    }
    return false;
  }

  /** RFC 7959, 2.5: one whose next block does not come within the lifetime of an exchange is forgotten. */
  #makeRoom(own: string, bytes: number, now: number, before: number): void {
    const { bodies, memory } = this.#ceilings;
    for (const [key, { at, address }] of this.#byKey) {
      const isOver = now - at >= EXCHANGE_LIFETIME_MS;
      if (key === own || !(isOver || (at <= before && this.#isFull(bytes)))) return;
      this.#drop(key);
      if (!isOver)
        this.#evicted(address, `there are more than ${bodies} (\`bodies\`) or ${memory} bytes (\`memory\`)`);
    }
  }
}
