/** Times the bytes that came from an address that may go to it before it has shown that it is there. */
const FACTOR = 3;
/** A message id has 16 bits and can be guessed: so many have to be acknowledged, with no more wrong ones before. */
const PROOFS = 2;
const MOST_WRONG = 8;
const MOST = 4_096;

interface Account {
  received: number;
  sent: number;
  proofs: number;
  wrong: number;
}

/**
 * What may be sent to an address: the sender of a datagram can be made up, and then the answers go to somebody who
 * asked for nothing. Until an address has acknowledged two messages of ours, whose ids are random, it gets at most
 * three times what came from it. That makes guessing dear, not impossible. Bounded: the address that was first seen
 * longest ago begins anew.
 */
export class Allowance {
  readonly #accounts = new Map<string, Account>();

  received(address: string, bytes: number): void {
    let account = this.#accounts.get(address);
    if (account === undefined) {
      if (this.#accounts.size >= MOST) this.#accounts.delete(this.#accounts.keys().next().value!);
      account = { received: 0, sent: 0, proofs: 0, wrong: 0 };
      this.#accounts.set(address, account);
    }
    account.received += bytes;
  }

  /**
   * An acknowledgement came. What it shows to have arrived does not count as sent: else an observer that asks with few
   * bytes would never be told twice.
   *
   * @param bytes of the message of ours; 0: there is none of that id
   */
  acknowledged(address: string, bytes: number): void {
    const account = this.#accounts.get(address);
    if (account === undefined) return;
    if (bytes === 0) account.wrong += 1;
    else if (account.wrong <= MOST_WRONG) {
      account.proofs += 1;
      account.sent = Math.max(0, account.sent - bytes);
    }
  }

  /** Bytes that may be sent there now. */
  left(address: string): number {
    const account = this.#accounts.get(address);
    if (account === undefined) return 0;
    return account.proofs >= PROOFS ? Number.POSITIVE_INFINITY : FACTOR * account.received - account.sent;
  }

  /** Counts bytes that are to be sent; false: they may not be. */
  spend(address: string, bytes: number): boolean {
    if (bytes > this.left(address)) return false;
    this.#accounts.get(address)!.sent += bytes;
    return true;
  }
}
