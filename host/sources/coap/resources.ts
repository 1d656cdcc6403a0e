import type { Peer } from './datagrams.js';

export interface Representation {
  readonly payload: Buffer;
  readonly contentFormat: number | undefined;
  /** Counts what is put, under all paths. */
  readonly version: number;
  /** Tells one from another: RFC 7252, 5.10.6. */
  readonly etag: Buffer;
}

export interface Observer {
  readonly peer: Peer;
  readonly token: Buffer;
}

const MOST_PATHS = 256;
const MOST_BYTES = 4 << 20;
/** Observers of one path: each of its changes is sent to all of them. */
const MOST_OF_PATH = 64;

/** What is kept of a path; the next one takes its place. */
class Kept implements Representation {
  payload: Buffer;
  contentFormat: number | undefined;
  version: number;

  constructor(payload: Buffer, contentFormat: number | undefined, version: number) {
    this.payload = payload;
    this.contentFormat = contentFormat;
    this.version = version;
  }

  get etag(): Buffer {
    const etag = Buffer.alloc(4);
    etag.writeUInt32BE(this.version);
    return etag;
  }
}

/**
 * What devices put under each path last, and who wants to be told of the next. Bounded: the path that was put longest
 * ago makes room, with its observers. Source: RFC 7641, 4.
 */
export class Resources {
  readonly #most: number;
  /** Of one address, under all its ports and tokens: it must not take the places of the others. */
  readonly #mostOfOne: number;
  readonly #mostOfPath: number;
  readonly #byPath = new Map<string, Kept>();
  readonly #observers = new Map<string, Map<string, Observer>>();
  #bytes = 0;
  /** Observations of each address that has some. */
  readonly #byAddress = new Map<string, number>();
  #observed = 0;
  #version = 0;

  /** @param most observations, @param share of them that one address may have */
  constructor(most: number, share: number) {
    this.#most = most;
    this.#mostOfOne = Math.max(1, Math.floor(most * share));
    this.#mostOfPath = Math.max(1, Math.floor(MOST_OF_PATH * share));
  }

  get(path: string): Representation | undefined {
    return this.#byPath.get(path);
  }

  get paths(): IterableIterator<string> {
    return this.#byPath.keys();
  }

  put(path: string, payload: Buffer, contentFormat: number | undefined): void {
    this.#version = (this.#version + 1) >>> 0;
    const kept = this.#byPath.get(path);
    this.#bytes += payload.length - (kept?.payload.length ?? 0);
    if (kept === undefined) this.#byPath.set(path, new Kept(payload, contentFormat, this.#version));
    else {
      kept.payload = payload;
      kept.contentFormat = contentFormat;
      kept.version = this.#version;
    }
    while (this.#byPath.size > MOST_PATHS || (this.#bytes > MOST_BYTES && this.#byPath.size > 1))
      this.#removeOldest();
  }

  /** Undefined: it is told of what is put from now on; or why it is not. */
  observe(path: string, peer: Peer, token: Buffer): string | undefined {
    const observers = this.#observers.get(path) ?? new Map<string, Observer>();
    const key = keyOf(peer, token);
    if (!observers.has(key)) {
      const own = this.#byAddress.get(peer.address) ?? 0;
      if (observers.size >= MOST_OF_PATH) return `${MOST_OF_PATH} observe it, and that is the most`;
      if (countOf(observers, peer.address) >= this.#mostOfPath)
        return `${this.#mostOfPath} observations of it are of this address, and that is the most (\`peerShare\` of ${MOST_OF_PATH})`;
      if (this.#observed >= this.#most) return `all ${this.#most} observations are in use (\`observers\`)`;
      if (own >= this.#mostOfOne)
        return `${own} observations are of this address, and that is the most (\`peerShare\` of \`observers\`)`;
      this.#count(peer.address, 1);
    }
    observers.set(key, { peer, token });
    this.#observers.set(path, observers);
    return undefined;
  }

  forget(path: string, peer: Peer, token: Buffer): void {
    const observers = this.#observers.get(path);
    if (observers?.delete(keyOf(peer, token))) this.#count(peer.address, -1);
    if (observers?.size === 0) this.#observers.delete(path);
  }

  /** Observers of all paths. */
  get observed(): number {
    return this.#observed;
  }

  observers(path: string): Observer[] {
    return [...(this.#observers.get(path)?.values() ?? [])];
  }

  #removeOldest(): void {
    let oldest = '';
    let version = Number.POSITIVE_INFINITY;
    for (const [path, kept] of this.#byPath) {
      if (kept.version >= version) continue;
      oldest = path;
      version = kept.version;
    }
    this.#bytes -= this.#byPath.get(oldest)?.payload.length ?? 0;
    this.#byPath.delete(oldest);
    for (const { peer } of this.#observers.get(oldest)?.values() ?? []) this.#count(peer.address, -1);
    this.#observers.delete(oldest);
  }

  #count(address: string, change: 1 | -1): void {
    this.#observed += change;
    const own = (this.#byAddress.get(address) ?? 0) + change;
    if (own === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own);
  }
}

function countOf(observers: ReadonlyMap<string, Observer>, address: string): number {
  let count = 0;
  for (const { peer } of observers.values()) if (peer.address === address) count += 1;
  return count;
}

/** Who observes, of one path. */
export function keyOf({ address, port }: Peer, token: Buffer): string {
  return `${address} ${port} ${token.toString('hex')}`;
}
