import type { Peer } from './exchanges.js';

export interface Representation {
  readonly payload: Buffer;
  readonly contentFormat: number | undefined;
  /** Tells one from another: RFC 7252, 5.10.6. */
  readonly etag: Buffer;
}

export interface Observer {
  readonly peer: Peer;
  readonly token: Buffer;
}

const MOST_PATHS = 256;
const MOST_BYTES = 4 << 20;
const MOST_OBSERVERS = 64;
const MOST_OBSERVERS_IN_ALL = 1_024;

/**
 * What devices put under each path last, and who wants to be told of the next. Bounded: the path that was put longest
 * ago makes room, with its observers. Source: RFC 7641, 4.
 */
export class Resources {
  readonly #byPath = new Map<string, Representation>();
  readonly #observers = new Map<string, Map<string, Observer>>();
  #bytes = 0;
  #observed = 0;
  #version = 0;

  get(path: string): Representation | undefined {
    return this.#byPath.get(path);
  }

  get paths(): IterableIterator<string> {
    return this.#byPath.keys();
  }

  put(path: string, payload: Buffer, contentFormat: number | undefined): void {
    this.#remove(path);
    this.#version = (this.#version + 1) >>> 0;
    const etag = Buffer.alloc(4);
    etag.writeUInt32BE(this.#version);
    this.#byPath.set(path, { payload, contentFormat, etag });
    this.#bytes += payload.length;
    for (const oldest of this.#byPath.keys()) {
      if ((this.#byPath.size <= MOST_PATHS && this.#bytes <= MOST_BYTES) || oldest === path) break;
      this.#remove(oldest);
      this.#observed -= this.#observers.get(oldest)?.size ?? 0;
      this.#observers.delete(oldest);
    }
  }

  /** False: there are too many. */
  observe(path: string, peer: Peer, token: Buffer): boolean {
    const observers = this.#observers.get(path) ?? new Map<string, Observer>();
    const key = keyOf(peer, token);
    if (!observers.has(key)) {
      if (observers.size >= MOST_OBSERVERS || this.#observed >= MOST_OBSERVERS_IN_ALL) return false;
      this.#observed += 1;
    }
    observers.set(key, { peer, token });
    this.#observers.set(path, observers);
    return true;
  }

  forget(path: string, peer: Peer, token: Buffer): void {
    const observers = this.#observers.get(path);
    if (observers?.delete(keyOf(peer, token))) this.#observed -= 1;
    if (observers?.size === 0) this.#observers.delete(path);
  }

  /** Observers of all paths. */
  get observed(): number {
    return this.#observed;
  }

  observers(path: string): Observer[] {
    return [...(this.#observers.get(path)?.values() ?? [])];
  }

  #remove(path: string): void {
    this.#bytes -= this.#byPath.get(path)?.payload.length ?? 0;
    this.#byPath.delete(path);
  }
}

/** Who observes, of one path. */
export function keyOf({ address, port }: Peer, token: Buffer): string {
  return `${address} ${port} ${token.toString('hex')}`;
}
