/** A connection of a server that stops. */
export interface Leaving {
  /** Where it stands among the others; set here only, -1 at first. */
  place: number;
  /** Says goodbye; the other side is waited for. */
  end(): void;
  destroy(): void;
}

/** How long a stop waits for the other sides to take their last words. */
const GOODBYE_MS = 500;

/**
 * The connections of a server, which all end when it does. In no order, and in no Set: where members come and go by the
 * thousand, each table that a Set has outgrown points to the next one, and one that has grown old keeps all that stand in
 * those behind it from being collected while they are young. That was a third of all that short connections leave behind.
 */
export class Connections<T extends Leaving> implements Iterable<T> {
  readonly #open: T[] = [];
  #emptied: (() => void) | undefined;

  get size(): number {
    return this.#open.length;
  }

  /** Each may be deleted in its turn. */
  *[Symbol.iterator](): Iterator<T> {
    const open = this.#open;
    // From behind: what takes the place of one that is gone has had its turn.
    for (let place = open.length - 1; place >= 0; place--) {
      const connection = open[place];
      if (connection !== undefined) yield connection;
    }
  }

  add(connection: T): void {
    connection.place = this.#open.push(connection) - 1;
  }

  /** It is gone. */
  delete(connection: T): void {
    const open = this.#open;
    const { place } = connection;
    if (open[place] !== connection) return;
    const last = open.pop() as T;
    connection.place = -1;
    if (last !== connection) {
      open[place] = last;
      last.place = place;
    }
    if (open.length === 0) this.#emptied?.();
  }

  /** Says goodbye to all, waits for their ends, and destroys those that do not come to one. */
  async close(): Promise<void> {
    if (this.#open.length === 0) return;
    const gone = new Promise<void>(resolve => {
      this.#emptied = resolve;
    });
    for (const connection of this) connection.end();
    const timer = setTimeout(() => {
      for (const connection of this) connection.destroy();
    }, GOODBYE_MS);
    await gone;
    clearTimeout(timer);
  }
}
