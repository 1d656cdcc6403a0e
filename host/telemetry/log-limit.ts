import type { Fault } from '../../runtime/index.js';
import type { Log } from './log.js';

export interface LogLimitOptions {
  /** Milliseconds between two lines of the same failure at the same place. */
  readonly everyMs?: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

interface Entry {
  lastMs: number;
  /** Lines that go out before the next is held back. */
  left: number;
  held: number;
  fault: Fault;
  readonly level: 'warn' | 'error';
  readonly where: Where;
  /** Of the last one, such as the bytes of a frame. */
  details: Where;
}

/** Configured names of what is concerned: `{ source: 'line1' }`. */
export type Where = Readonly<Record<string, string>>;

/** Places remembered at once; the one that was quiet longest is forgotten first. */
const MOST_ENTRIES = 1000;

/**
 * A failure that repeats is logged at once, then at most once in 10 s with the number of those held back. The
 * held ones are told when the pause is over, even if the failure does not come again.
 */
export class LogLimit {
  readonly #log: Log;
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, { everyMs = 10_000, now = () => performance.now() }: LogLimitOptions = {}) {
    this.#log = log;
    this.#everyMs = everyMs;
    this.#now = now;
  }

  /** @param burst so many in a row are told before the first is held back */
  report(fault: Fault, where: Where, level: 'warn' | 'error' = 'warn', details: Where = {}, burst = 1): void {
    let id = fault.code as string;
    for (const key in where) id += `\n${key}=${where[key]}`;
    const now = this.#now();
    const known = this.#entries.get(id);
    const within = known !== undefined && now - known.lastMs < this.#everyMs;
    if (within && known.left === 0) {
      known.held += 1;
      known.fault = fault;
      known.details = details;
      this.#arm();
      return;
    }
    const entry = known ?? { lastMs: now, left: burst, held: 0, fault, level, where, details };
    entry.left = (within ? entry.left : burst) - 1;
    entry.fault = fault;
    entry.details = details;
    // Behind all others: the map is in the order of the last line.
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#write(entry, now);
    if (this.#entries.size > MOST_ENTRIES) this.#forgetOldest();
  }

  /** Tells what is held back of this place, so that it does not come behind the news that it is over. */
  tell(where: Where): void {
    const now = this.#now();
    for (const entry of this.#entries.values()) {
      const isHere = Object.entries(entry.where).every(([key, name]) => where[key] === name);
      if (entry.held > 0 && isHere) this.#writeHeld(entry, now);
    }
  }

  /** Tells what is held back; for the end of the program. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#now();
    for (const entry of this.#entries.values()) if (entry.held > 0) this.#writeHeld(entry, now);
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#due(), this.#everyMs);
    this.#timer.unref();
  }

  #due(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const entry of this.#entries.values()) {
      if (entry.held === 0) continue;
      if (now - entry.lastMs >= this.#everyMs) this.#writeHeld(entry, now);
      else this.#arm();
    }
  }

  /** This one came while the pause lasted, so it counts among the repeats. */
  #writeHeld(entry: Entry, now: number): void {
    entry.held -= 1;
    this.#write(entry, now);
  }

  #write(entry: Entry, now: number): void {
    const { code, message, step, plugin } = entry.fault;
    const fields = {
      code,
      ...entry.where,
      ...entry.details,
      ...(plugin && { plugin }),
      ...(step && { step }),
    };
    this.#log[entry.level](entry.held === 0 ? fields : { ...fields, held: entry.held }, message);
    entry.lastMs = now;
    entry.held = 0;
  }

  #forgetOldest(): void {
    const [id, entry] = this.#entries.entries().next().value ?? [];
    if (id === undefined || entry === undefined) return;
    this.#entries.delete(id);
    if (entry.held > 0) this.#writeHeld(entry, this.#now());
  }
}
