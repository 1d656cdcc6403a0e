import { Session } from './session.js';

export interface Attached {
  readonly session: Session;
  /** Frames that the client gave up before they were taken. */
  readonly lost: number;
}

/**
 * The sessions of one source, a bounded number of them: beyond it the one that was heard of longest ago, is not connected
 * and waits for nothing is forgotten. A client whose session is not known begins with the oldest frame it has.
 */
export class Sessions {
  readonly #most: number;
  /** In the order in which they were last attached. */
  readonly #byClient = new Map<string, Session>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A client has come (again).
   * @param id the run of its numbering, @param first the oldest frame that it still has
   */
  attach(client: string, id: number, first: number): Attached {
    const known = this.#byClient.get(client);
    this.#byClient.delete(client);
    if (known !== undefined && known.id === id) {
      this.#byClient.set(client, known);
      const lost = first - known.taken - 1;
      if (lost <= 0) return { session: known, lost: 0 };
      return { session: this.#begin(client, id, first, known), lost };
    }
    if (this.#byClient.size >= this.#most) this.#forgetOne();
    return { session: this.#begin(client, id, first, known), lost: 0 };
  }

  get size(): number {
    return this.#byClient.size;
  }

  /** The client is told of this session from now on, and no more of the one before. */
  #begin(client: string, id: number, first: number, before: Session | undefined): Session {
    const session = new Session(client, id, first - 1);
    if (before !== undefined) {
      session.line = before.line;
      before.line = undefined;
    }
    this.#byClient.set(client, session);
    return session;
  }

  #forgetOne(): void {
    let oldest: string | undefined;
    for (const { client, open, line } of this.#byClient.values()) {
      if (line !== undefined) continue;
      oldest ??= client;
      if (open > 0) continue;
      oldest = client;
      break;
    }
    if (oldest !== undefined) this.#byClient.delete(oldest);
  }
}
