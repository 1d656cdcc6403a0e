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

/**
 * What devices put under each path last, and who wants to be told of the next. Bounded: the path that was put longest
 * ago makes room. Source: RFC 7641, 4.
 */
export class Resources {
  readonly #byPath = new Map<string, Representation>();
  readonly #observers = new Map<string, Map<string, Observer>>();
  #bytes = 0;
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
    }
  }

  /** False: there are too many. */
  observe(path: string, peer: Peer, token: Buffer): boolean {
    const observers = this.#observers.get(path) ?? new Map<string, Observer>();
    const key = keyOf(peer, token);
    if (!observers.has(key) && observers.size >= MOST_OBSERVERS) return false;
    observers.set(key, { peer, token });
    this.#observers.set(path, observers);
    return true;
  }

  forget(path: string, peer: Peer, token: Buffer): void {
    const observers = this.#observers.get(path);
    observers?.delete(keyOf(peer, token));
    if (observers?.size === 0) this.#observers.delete(path);
  }

  observers(path: string): Observer[] {
    return [...(this.#observers.get(path)?.values() ?? [])];
  }

  #remove(path: string): void {
    this.#bytes -= this.#byPath.get(path)?.payload.length ?? 0;
    this.#byPath.delete(path);
  }
}

function keyOf({ address, port }: Peer, token: Buffer): string {
  return `${address} ${port} ${token.toString('hex')}`;
}
