import type { QueueName } from '../store/messages.js';

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
  /** When the oldest record was put down, milliseconds since 1970; 0: not known. */
  oldest: number;
  /** The file has a row of it. */
  isKnown: boolean;
  /** Records are being fetched, or have been and are not all handed on yet. */
  isBusy = false;

  constructor(name: QueueName, ordered: boolean, found?: Found) {
    this.name = name;
    this.ordered = ordered;
    this.isKnown = found !== undefined;
    this.last = this.appended = this.committed = found?.last ?? 0;
    this.records = this.pending = found?.records ?? 0;
    this.bytes = found?.bytes ?? 0;
    this.oldest = found?.oldest ?? 0;
    this.cursor = found === undefined ? this.last : 0;
  }

  /** A record gets `place` and is to be handed on later. */
  put(place: number): void {
    // Nothing waits: what came before has passed through, and is not looked for.
    if (this.pending === 0) this.cursor = Math.max(this.cursor, place - 1);
    this.pending++;
    this.appended = place;
  }

  /** A record that was put down and has not come to the disk is not in it any more. @param waits it was not handed on */
  withdraw(bytes: number, waits: boolean): void {
    if (waits) this.pending--;
    this.records--;
    this.bytes -= bytes;
    if (this.records === 0) this.oldest = 0;
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
