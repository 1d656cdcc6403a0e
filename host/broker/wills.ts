import type { Client } from 'aedes';
import { ownBytes } from './own-bytes.js';

interface Will {
  readonly topic: string;
  payload: string | Buffer;
}

/** What a will costs beside its topic and payload, about. */
const OVERHEAD_BYTES = 256;

/**
 * What clients want to have published when they are cut off (3.1.1 §3.1.2.5) is kept as long as they are connected: it
 * counts as what is kept.
 */
export class Wills {
  readonly #take: (bytes: number) => string | undefined;

  /** @param take bytes of what may be kept, or gives them back where they are less than 0; says why there are not so many */
  constructor(take: (bytes: number) => string | undefined) {
    this.#take = take;
  }

  /** A client is about to be let in, with its will or without. @returns why there is no room for it */
  admit(client: Client): string | undefined {
    // It is `will` only when the client is in; not in the types of aedes.
    const { _will: will } = client as unknown as { readonly _will?: Will | null };
    if (will === undefined || will === null || client.conn.closed) return undefined;
    if (typeof will.payload !== 'string') will.payload = ownBytes(will.payload);
    const bytes = OVERHEAD_BYTES + will.topic.length + will.payload.length;
    const full = this.#take(bytes);
    if (full === undefined) client.conn.once('close', () => this.#take(-bytes));
    return full;
  }
}
