import type { QueueName } from '../store/messages.js';

/** Records that the sink has not confirmed all of. */
interface UnderWay {
  /** When the first of them was put down, milliseconds since 1970. */
  readonly since: number;
}

/** A queue that an earlier run has left. */
export interface Found {
  readonly name: QueueName;
  /** Place of its last record. */
  readonly last: number;
  readonly records: number;
  readonly bytes: number;
  readonly oldest: number;
}

/**
 * What one sink gets of one source by one route. Every message has its place in it, 1, 2, 3, ..., whether it
 * passes through or is put down, so order never hangs on a clock. Places below `cursor` have been handed on.
 */
export class Queue {
  readonly name: QueueName;
  /** Fresh messages wait behind those of the spool. */
  readonly ordered: boolean;
  /** Place of the last message that came. */
  last: number;
  /** Place of the last record that was put down, and of the last of which all before it are durable. */
  appended: number;
  committed: number;
  /** Place of the last record that was fetched back. */
  cursor: number;
  /** Records put down that have not been handed to the sink since. */
  pending: number;
  /** Records in the file, and their bytes. */
  records: number;
  bytes: number;
  /** When the oldest record that has not been handed on was put down, milliseconds since 1970; 0: none, or not known. */
  waitsSince: number;
  /** The file has a row of it. */
  isKnown: boolean;
  /** Records are being fetched, or have been and are not all handed on yet. */
  isBusy = false;
  readonly #underWay = new Set<UnderWay>();
  /**
   * Places of records that were given up on the disk while something before them was not on it: they wait in memory like
   * that, and may go on from there.
   */
  #inMemory: number[] = [];

  constructor(name: QueueName, ordered: boolean, found?: Found) {
    this.name = name;
    this.ordered = ordered;
    this.isKnown = found !== undefined;
    this.last = this.appended = this.committed = found?.last ?? 0;
    this.records = this.pending = found?.records ?? 0;
    this.bytes = found?.bytes ?? 0;
    this.waitsSince = found?.oldest ?? 0;
    this.cursor = found === undefined ? this.last : 0;
  }

  /** A record gets `place` and is to be handed on later. @param since milliseconds since 1970 */
  put(place: number, since: number): void {
    // Nothing waits: what came before has passed through, and is not looked for.
    if (this.pending === 0) {
      this.cursor = Math.max(this.cursor, place - 1);
      this.waitsSince = since;
    }
    this.pending++;
    this.appended = place;
  }

  /** A record that was put down and has not come to the disk is not in it any more. @param waits it was not handed on */
  withdraw(bytes: number, waits: boolean): void {
    if (waits) this.pending--;
    this.records--;
    this.bytes -= bytes;
    if (this.pending === 0) this.waitsSince = 0;
  }

  /**
   * The records at these places are given up. What was handed on from memory meanwhile waits no more, and a copy never has.
   * @param oldest when the oldest that is left was put down
   */
  madeRoom(places: readonly number[], oldest: number | undefined): void {
    const { cursor, committed, appended } = this;
    let waited = 0;
    for (const place of places) {
      if (place <= cursor || place > appended) continue;
      if (place > committed) this.#inMemory.push(place);
      else waited++;
    }
    this.#gaveUp(waited);
    // What has been fetched and not handed on is older.
    if (this.pending > 0 && waited > 0 && oldest !== undefined && !this.isBusy) this.waitsSince = oldest;
  }

  /** All up to this place is durable, and not in memory any more. */
  commit(place: number): void {
    if (place <= this.committed) return;
    this.committed = place;
    if (this.#inMemory.length === 0) return;
    const gone = this.#inMemory.filter(each => each <= place);
    this.#inMemory = this.#inMemory.filter(each => each > place);
    this.#gaveUp(gone.filter(each => each > this.cursor).length);
  }

  #gaveUp(waited: number): void {
    this.pending = Math.max(0, this.pending - waited);
    if (this.pending === 0) this.waitsSince = 0;
  }

  /** Records are in the hands of the sink, and are not confirmed. */
  begun(run: UnderWay): void {
    this.#underWay.add(run);
  }

  /** They are. */
  ended(run: UnderWay): void {
    this.#underWay.delete(run);
  }

  /** When the oldest record that is not confirmed was put down, milliseconds since 1970; 0: none, or not known. */
  get oldest(): number {
    let oldest = this.waitsSince;
    for (const { since } of this.#underWay) if (oldest === 0 || since < oldest) oldest = since;
    return oldest;
  }

  /** There is something to fetch. */
  get hasMore(): boolean {
    return this.pending > 0 && !this.isBusy && this.cursor < this.committed;
  }

  /** All that is durable has been handed on: what is left is on its way to the disk. */
  get isNearlyThrough(): boolean {
    return !this.isBusy && this.cursor >= this.committed;
  }
}
