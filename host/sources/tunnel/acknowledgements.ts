import type { Session } from './session.js';

/** All that a turn delivers is acknowledged with one frame for each client. */
export class Acknowledgements {
  /** Every frame up to this one is delivered. */
  confirmed = 0;
  /** Of those something may be to be acknowledged. */
  readonly #due: Session[] = [];
  #scheduled = false;

  /** Something of it may be to be acknowledged. */
  readonly add = (session: Session): void => {
    if (session.isDue) return;
    session.isDue = true;
    this.#due.push(session);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.send);
  };

  /** Now, and not at the end of the turn. */
  readonly send = (): void => {
    this.#scheduled = false;
    for (const session of this.#due) {
      session.isDue = false;
      // A client that began anew is not told of what it numbered before.
      if (session.delivered(this.confirmed)) session.line?.acknowledge();
    }
    this.#due.length = 0;
  };
}
