/** Times the bytes that came from an address that may go to it before it has shown that it is there. */
const FACTOR = 3;
const MOST = 4_096;

interface Account {
  received: number;
  sent: number;
  isVerified: boolean;
}

/**
 * What may be sent to an address: the sender of a datagram can be made up, and then the answers go to somebody who
 * asked for nothing. Until an address has acknowledged something it gets at most three times what came from it.
 * Bounded: the address that was first seen longest ago begins anew.
 */
export class Allowance {
  readonly #accounts = new Map<string, Account>();

  received(address: string, bytes: number): void {
    let account = this.#accounts.get(address);
    if (account === undefined) {
      if (this.#accounts.size >= MOST) this.#accounts.delete(this.#accounts.keys().next().value!);
      account = { received: 0, sent: 0, isVerified: false };
      this.#accounts.set(address, account);
    }
    account.received += bytes;
  }

  /** It acknowledged a message of ours, which only who got it can. */
  verified(address: string): void {
    const account = this.#accounts.get(address);
    if (account !== undefined) account.isVerified = true;
  }

  /** Bytes that may be sent there now. */
  left(address: string): number {
    const account = this.#accounts.get(address);
    if (account === undefined) return 0;
    return account.isVerified ? Number.POSITIVE_INFINITY : FACTOR * account.received - account.sent;
  }

  /** Counts bytes that are to be sent; false: they may not be. */
  spend(address: string, bytes: number): boolean {
    if (bytes > this.left(address)) return false;
    this.#accounts.get(address)!.sent += bytes;
    return true;
  }
}
