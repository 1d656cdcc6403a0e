/** A connection of a server that stops. */
export interface Leaving {
  /** Says goodbye; the other side is waited for. */
  end(): void;
  destroy(): void;
}

/** How long a stop waits for the other sides to take their last words. */
const GOODBYE_MS = 500;

/** The connections of a server, which all end when it does. */
export class Connections<T extends Leaving> implements Iterable<T> {
  readonly #open = new Set<T>();
  #emptied: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#open.values();
  }

  add(connection: T): void {
    this.#open.add(connection);
  }

  /** It is gone. */
  delete(connection: T): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#emptied?.();
  }

  /** Says goodbye to all, waits for their ends, and destroys those that do not come to one. */
  async close(): Promise<void> {
    if (this.#open.size === 0) return;
    const gone = new Promise<void>(resolve => {
      this.#emptied = resolve;
    });
    for (const connection of this.#open) connection.end();
    const timer = setTimeout(() => {
      for (const connection of this.#open) connection.destroy();
    }, GOODBYE_MS);
    await gone;
    clearTimeout(timer);
  }
}
