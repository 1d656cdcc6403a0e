import type { Peer } from './exchanges.js';

/** RFC 7252, 4.8: ACK_TIMEOUT with its random part, and MAX_RETRANSMIT. */
const FIRST_MS = 2_500;
const MOST_REPEATS = 4;

interface Pending {
  readonly peer: Peer;
  readonly bytes: Buffer;
  /** Of a notification: who is no observer any more if nobody answers. */
  readonly gone: (() => void) | undefined;
  repeats: number;
  due: number;
}

/** Confirmable messages of ours that nobody has acknowledged. Source: RFC 7252, 4.2. */
export class Confirmables {
  readonly #send: (peer: Peer, bytes: Buffer) => void;
  readonly #byKey = new Map<string, Pending>();

  constructor(send: (peer: Peer, bytes: Buffer) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** @param gone called if it is reset, or never acknowledged */
  add(peer: Peer, id: number, bytes: Buffer, now: number, gone?: () => void): void {
    const pending = { peer, bytes, gone, repeats: 0, due: now + FIRST_MS };
    this.#byKey.set(keyOf(peer, id), pending);
    this.#send(peer, bytes);
  }

  /** False: there is no such message. */
  acknowledged(peer: Peer, id: number): boolean {
    return this.#byKey.delete(keyOf(peer, id));
  }

  reset(peer: Peer, id: number): void {
    const key = keyOf(peer, id);
    this.#byKey.get(key)?.gone?.();
    this.#byKey.delete(key);
  }

  /** Sends again what is due; gives how many were given up. */
  look(now: number): number {
    let lost = 0;
    for (const [key, pending] of this.#byKey) {
      if (pending.due > now) continue;
      if (pending.repeats === MOST_REPEATS) {
        this.#byKey.delete(key);
        pending.gone?.();
        lost += 1;
        continue;
      }
      pending.repeats += 1;
      pending.due = now + FIRST_MS * 2 ** pending.repeats;
      this.#send(pending.peer, pending.bytes);
    }
    return lost;
  }

  clear(): void {
    this.#byKey.clear();
  }
}

function keyOf({ address, port }: Peer, id: number): string {
  return `${address} ${port} ${id}`;
}
