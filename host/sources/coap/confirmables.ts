import { randomInt } from 'node:crypto';
import type { Peer } from './datagrams.js';

/** RFC 7252, 4.8: ACK_TIMEOUT with its random part, and MAX_RETRANSMIT. */
const FIRST_MS = 2_500;
const MOST_REPEATS = 4;
const MOST = 4_096;

/** What a line does for the messages that wait here. */
export interface Line {
  /** False: it may not be sent there. */
  send(peer: Peer, bytes: Buffer): boolean;
  /** An acknowledgement came, of a message of so many bytes; 0: of none that waits. */
  acknowledged(peer: Peer, bytes: number): void;
  /** A message was given up: nobody acknowledged it, or too many wait. */
  lost(): void;
  /** That address has shown that it is there. */
  isProven(peer: Peer): boolean;
}

/** What becomes of a message. */
export interface Watch {
  /** It was acknowledged. */
  readonly heard?: () => void;
  /** Nobody acknowledges, or it was reset. */
  readonly gone: () => void;
}

/** Tells one observer of its resource. */
export interface Notice extends Watch {
  /** Who observes what: one notification at a time is out for each. */
  readonly key: string;
  readonly peer: Peer;
  /** The resource as it is now; undefined: it is gone. */
  readonly render: (id: number) => Buffer | undefined;
}

interface Pending {
  readonly peer: Peer;
  readonly notice: Notice | undefined;
  readonly watch: Watch | undefined;
  bytes: Buffer;
  /** The resource changed since. */
  isStale: boolean;
  repeats: number;
  due: number;
}

/** Confirmable messages of ours that nobody has acknowledged. Bounded. Source: RFC 7252, 4.2. */
export class Confirmables {
  readonly #line: Line;
  readonly #most: number;
  readonly #byKey = new Map<string, Pending>();
  readonly #byNotice = new Map<string, Pending>();
  /** Those to addresses that have not shown that they are there, and may be made up; the oldest first. */
  readonly #doubtful = new Set<string>();

  constructor(line: Line, most = MOST) {
    this.#line = line;
    this.#most = most;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** A message id that cannot be foreseen, and that no message to that peer waits under. */
  newId(peer: Peer): number {
    let id = randomInt(65_536);
    while (this.#byKey.has(keyOf(peer, id))) id = (id + 1) & 0xffff;
    return id;
  }

  /** An answer. Without room it is sent once. False: it may not be sent there. */
  add(peer: Peer, id: number, bytes: Buffer, now: number, watch?: Watch): boolean {
    return this.#begin(peer, id, bytes, now, undefined, watch);
  }

  /**
   * While one notification is out the next one waits for its acknowledgement or its repetition, and then says what the
   * resource is by then. Source: RFC 7641, 4.5.2.
   */
  notify(notice: Notice, now: number): void {
    const before = this.#byNotice.get(notice.key);
    if (before !== undefined) {
      before.isStale = true;
      return;
    }
    if (!this.#makeRoom()) return;
    const id = this.newId(notice.peer);
    const bytes = notice.render(id);
    // Who may not be told has shown nothing of itself: made up, it would keep its place for ever.
    if (bytes !== undefined && !this.#begin(notice.peer, id, bytes, now, notice, notice)) notice.gone();
  }

  acknowledged(peer: Peer, id: number, now: number): void {
    const pending = this.#end(keyOf(peer, id));
    this.#line.acknowledged(peer, pending?.bytes.length ?? 0);
    pending?.watch?.heard?.();
    if (pending?.isStale) this.notify(pending.notice!, now);
  }

  reset(peer: Peer, id: number): void {
    this.#end(keyOf(peer, id))?.watch?.gone();
  }

  /** Sends again what is due. */
  look(now: number): void {
    for (const [key, pending] of this.#byKey) {
      if (pending.due > now) continue;
      if (pending.repeats === MOST_REPEATS) {
        this.#giveUp(key);
        continue;
      }
      pending.repeats += 1;
      pending.due = now + FIRST_MS * 2 ** pending.repeats;
      if (!pending.isStale || this.#renew(key, pending)) this.#line.send(pending.peer, pending.bytes);
    }
  }

  clear(): void {
    this.#byKey.clear();
    this.#byNotice.clear();
    this.#doubtful.clear();
  }

  #begin(
    peer: Peer,
    id: number,
    bytes: Buffer,
    now: number,
    notice: Notice | undefined,
    watch: Watch | undefined,
  ): boolean {
    // What may not even be sent is not sent again.
    if (!this.#line.send(peer, bytes)) return false;
    if (!this.#makeRoom()) return true;
    const { address, port } = peer;
    const pending = {
      peer: { address, port },
      notice,
      watch,
      bytes,
      isStale: false,
      repeats: 0,
      due: now + FIRST_MS,
    };
    const key = keyOf(peer, id);
    this.#byKey.set(key, pending);
    if (!this.#line.isProven(peer)) this.#doubtful.add(key);
    if (notice !== undefined) this.#byNotice.set(notice.key, pending);
    return true;
  }

  /** What is new takes the place of what is repeated, under an id of its own. False: there is nothing any more. */
  #renew(key: string, pending: Pending): boolean {
    const id = this.newId(pending.peer);
    const bytes = pending.notice!.render(id);
    if (bytes === undefined) {
      this.#end(key);
      return false;
    }
    pending.bytes = bytes;
    pending.isStale = false;
    const renewed = keyOf(pending.peer, id);
    this.#byKey.delete(key);
    this.#byKey.set(renewed, pending);
    if (this.#doubtful.delete(key)) this.#doubtful.add(renewed);
    return true;
  }

  /** Senders that are made up must not keep those that are there from being told. False: there is none. */
  #makeRoom(): boolean {
    if (this.#byKey.size < this.#most) return true;
    const [oldest] = this.#doubtful;
    if (oldest === undefined) this.#line.lost();
    else this.#giveUp(oldest);
    return oldest !== undefined;
  }

  #giveUp(key: string): void {
    this.#end(key)?.watch?.gone();
    this.#line.lost();
  }

  #end(key: string): Pending | undefined {
    const pending = this.#byKey.get(key);
    this.#byKey.delete(key);
    this.#doubtful.delete(key);
    if (pending?.notice !== undefined) this.#byNotice.delete(pending.notice.key);
    return pending;
  }
}

function keyOf({ address, port }: Peer, id: number): string {
  return `${address} ${port} ${id}`;
}
