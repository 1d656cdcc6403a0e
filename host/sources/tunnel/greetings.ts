/** A connection that is greeted later. */
export interface Greeted {
  greet(): void;
}

/** How long a greeting waits at least; at most twice as long. */
const WAIT_MS = 5;

/**
 * Greets clients that have not waited for it some milliseconds after they came. What a fast chain and sink have confirmed
 * by then goes out in the same write, and a client that comes for one frame has both with one read; what they have not is
 * not waited for.
 */
export class Greetings {
  #later: Greeted[] = [];
  #next: Greeted[] = [];
  #timer: NodeJS.Timeout | undefined;

  soon(connection: Greeted): void {
    this.#later.push(connection);
    this.#timer ??= setTimeout(this.#turn, WAIT_MS);
  }

  readonly #turn = (): void => {
    const now = this.#next;
    this.#next = this.#later;
    this.#later = now;
    for (const connection of now) connection.greet();
    now.length = 0;
    this.#timer = this.#next.length > 0 ? setTimeout(this.#turn, WAIT_MS) : undefined;
  };
}
