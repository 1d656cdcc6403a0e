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
  /** It has acknowledged something. */
  isHeard: boolean;
}

/** An observation that could be of a sender that is made up. */
interface Doubtful {
  readonly path: string;
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
 * ago makes room, with its observers; and an observation of which nothing has been acknowledged yet, the oldest first,
 * makes room for another: senders can be made up without number. Source: RFC 7641, 4; RFC 9175, 2.4.
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
  readonly #doubtful = new Map<string, Doubtful>();
  readonly #madeRoom: (address: string, path: string) => void;
  #observed = 0;
  #version = 0;

  /**
   * @param most observations, @param share of them that one address may have
   * @param madeRoom an observation of this address, which has acknowledged nothing, is none any more
   */
  constructor(most: number, share: number, madeRoom: (address: string, path: string) => void = () => {}) {
    this.#madeRoom = madeRoom;
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

  /**
   * Undefined: it is told of what is put from now on; or why it is not.
   * @param isHeard its address has shown that it is there
   */
  observe(path: string, peer: Peer, token: Buffer, isHeard: boolean): string | undefined {
    const key = keyOf(peer, token);
    const known = this.#observers.get(path)?.get(key);
    if (known === undefined) {
      for (let full = this.#full(path, peer); full !== undefined; full = this.#full(path, peer))
        if (!this.#makeRoom(full.within)) return full.why;
      this.#count(peer.address, 1);
    }
    const observers = this.#observers.get(path) ?? new Map<string, Observer>();
    const observer = { peer, token, isHeard: isHeard || known?.isHeard === true };
    observers.set(key, observer);
    this.#observers.set(path, observers);
    const name = `${path} ${key}`;
    if (observer.isHeard) this.#doubtful.delete(name);
    else if (known === undefined) this.#doubtful.set(name, { path, peer, token });
    return undefined;
  }

  /** An observer has acknowledged what it was told: it is there. */
  heard(path: string, peer: Peer, token: Buffer): void {
    const key = keyOf(peer, token);
    const observer = this.#observers.get(path)?.get(key);
    if (observer !== undefined) observer.isHeard = true;
    this.#doubtful.delete(`${path} ${key}`);
  }

  forget(path: string, peer: Peer, token: Buffer): void {
    const observers = this.#observers.get(path);
    const key = keyOf(peer, token);
    if (observers?.delete(key)) this.#count(peer.address, -1);
    if (observers?.size === 0) this.#observers.delete(path);
    this.#doubtful.delete(`${path} ${key}`);
  }

  /** Which ceiling there is no room under, and which observations count there. */
  #full(
    path: string,
    { address }: Peer,
  ): { readonly why: string; readonly within: (one: Doubtful) => boolean } | undefined {
    const observers = this.#observers.get(path);
    const ofPath = observers === undefined ? 0 : countOf(observers, address);
    const own = this.#byAddress.get(address) ?? 0;
    if (ofPath >= this.#mostOfPath) {
      const why = `${ofPath} observations of it are of this address, and that is the most (\`peerShare\` of ${MOST_OF_PATH})`;
      return { why, within: one => one.path === path && one.peer.address === address };
    }
    if (observers !== undefined && observers.size >= MOST_OF_PATH)
      return { why: `${MOST_OF_PATH} observe it, and that is the most`, within: one => one.path === path };
    const isFull = this.#observed >= this.#most;
    if (!isFull && own < this.#mostOfOne) return undefined;
    const why = isFull
      ? `all ${this.#most} observations are in use (\`observers\`)`
      : `${own} observations are of this address, and that is the most (\`peerShare\` of \`observers\`)`;
    return { why, within: one => own < this.#mostOfOne || one.peer.address === address };
  }

  /** False: all of them have shown that they are there. */
  #makeRoom(within: (one: Doubtful) => boolean): boolean {
    for (const one of this.#doubtful.values()) {
      if (!within(one)) continue;
      this.forget(one.path, one.peer, one.token);
      this.#madeRoom(one.peer.address, one.path);
      return true;
    }
    return false;
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
    for (const { peer, token } of this.observers(oldest)) this.forget(oldest, peer, token);
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
