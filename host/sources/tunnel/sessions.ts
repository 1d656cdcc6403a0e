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
  /**
   * Nothing is deleted from it but what is forgotten: to delete an entry and set it again keeps the order, but what a Map has
   * deleted lies in its chains until the whole table is made anew. With 10,000 clients known that was 5 us a connection.
   */
  readonly #byClient = new Map<string, Session>();
  /** Ends of the list in the order in which they were last attached. */
  #oldest: Session | undefined;
  #newest: Session | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A client has come (again).
   * @param id the run of its numbering, @param first the oldest frame that it still has
   */
  attach(client: string, id: number, first: number): Attached {
    const known = this.#byClient.get(client);
    if (known !== undefined) this.#unlink(known);
    if (known !== undefined && known.id === id) {
      const lost = first - known.taken - 1;
      if (lost > 0) return { session: this.#begin(client, id, first, known), lost };
      this.#link(known);
      return { session: known, lost: 0 };
    }
    if (known === undefined && this.#byClient.size >= this.#most) this.#forgetOne();
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
    this.#link(session);
    return session;
  }

  #link(session: Session): void {
    session.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = session;
    else this.#newest.newer = session;
    this.#newest = session;
  }

  #unlink(session: Session): void {
    const { older, newer } = session;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    session.older = session.newer = undefined;
  }

  #forgetOne(): void {
    let forgotten: Session | undefined;
    for (let session = this.#oldest; session !== undefined; session = session.newer) {
      if (session.line !== undefined) continue;
      forgotten ??= session;
      if (session.open > 0) continue;
      forgotten = session;
      break;
    }
    if (forgotten === undefined) return;
    this.#unlink(forgotten);
    this.#byClient.delete(forgotten.client);
  }
}
