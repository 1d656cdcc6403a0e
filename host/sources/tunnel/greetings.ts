/** A connection that is greeted later. */
export interface Greeted {
  greet(): void;
}

/**
 * Greets clients that have not waited for it two turns of the loop after they came: the first publishes their frames.
 * What a fast chain and sink have confirmed by then goes out in the same write; what they have not is not waited for.
 */
export class Greetings {
  #later: Greeted[] = [];
  #next: Greeted[] = [];
  #scheduled = false;

  soon(connection: Greeted): void {
    this.#later.push(connection);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const now = this.#next;
    this.#next = this.#later;
    this.#later = now;
    for (const connection of now) connection.greet();
    now.length = 0;
    this.#scheduled = this.#next.length > 0;
    if (this.#scheduled) setImmediate(this.#turn);
  };
}
