import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Times the bytes that came from an address that may go to it before it has shown that it is there. */
const FACTOR = 3;
/** A message id has 16 bits and can be guessed: so many have to be acknowledged, with no more wrong ones before. */
const PROOFS = 2;
const MOST_WRONG = 8;
const MOST = 4_096;
/** Nobody guesses these: one that comes back is proof enough. Source: RFC 9175, 5. */
const ECHO_BYTES = 8;

interface Account {
  received: number;
  sent: number;
  proofs: number;
  wrong: number;
  echo: Buffer | undefined;
}

/**
 * What may be sent to an address: the sender of a datagram can be made up, and then the answers go to somebody who
 * asked for nothing. Until an address has acknowledged two messages of ours, whose ids are random, or sent back what
 * it was asked to echo, it gets at most three times what came from it. That makes guessing dear, not impossible.
 * Bounded: the address that was first seen longest ago begins anew.
 */
export class Allowance {
  readonly #accounts = new Map<string, Account>();

  received(address: string, bytes: number): void {
    let account = this.#accounts.get(address);
    if (account === undefined) {
      if (this.#accounts.size >= MOST) this.#accounts.delete(this.#accounts.keys().next().value!);
      account = { received: 0, sent: 0, proofs: 0, wrong: 0, echo: undefined };
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

  /** What this address has to send back to be believed. Source: RFC 9175, 2.3 and 2.4. */
  challenge(address: string): Buffer {
    const account = this.#accounts.get(address);
    const echo = account?.echo ?? randomBytes(ECHO_BYTES);
    if (account !== undefined) account.echo = echo;
    return echo;
  }

  /** An address sent this back. */
  echoed(address: string, echo: Uint8Array): void {
    const account = this.#accounts.get(address);
    if (account?.echo?.length === echo.length && timingSafeEqual(account.echo, echo)) account.proofs = PROOFS;
  }

  /** It has shown that it is there. */
  isProven(address: string): boolean {
    return this.left(address) === Number.POSITIVE_INFINITY;
  }

  /**
   * What complaints of it go under. The log tells each name by itself, and addresses that are made up are without
   * number: until one has shown that it is there, it has none.
   */
  nameOf(address: string): string | undefined {
    return this.isProven(address) ? address : undefined;
  }

  /** Bytes that may be sent there now. */
  left(address: string): number {
    const account = this.#accounts.get(address);
    if (account === undefined) return 0;
    return account.proofs >= PROOFS ? Number.POSITIVE_INFINITY : FACTOR * account.received - account.sent;
  }

  /** Counts bytes that are to be sent; false: they may not be. */
  spend(address: string, bytes: number): boolean {
    const account = this.#accounts.get(address);
    if (account === undefined) return false;
    if (account.proofs < PROOFS && bytes > FACTOR * account.received - account.sent) return false;
    account.sent += bytes;
    return true;
  }
}
