import { randomBytes } from 'node:crypto';
import { Representation } from '../../protocols/coap/representation.js';
import type { ClientDevice } from './client-device.js';
import type { Reading, Tagged } from './reading.js';

/** RFC 7252, 4.8: ACK_TIMEOUT, ACK_RANDOM_FACTOR and MAX_RETRANSMIT. */
const FIRST_MS = 2_000;
const RANDOM_FACTOR = 1.5;
const MOST_REPEATS = 4;
/** A short `timeout` has repeats in it too. */
const TRIES_IN_TIMEOUT = 4;
const TOKEN_BYTES = 8;

/** Without blocks, with Observe, or the blocks that follow the first of an observation. */
export type AskKind = 'get' | 'observe' | 'rest';

/** A request to a device until it is answered; an observation, until it ends. */
export class Ask {
  readonly device: ClientDevice;
  readonly reading: Reading;
  readonly kind: AskKind;
  readonly maxBody: number;
  /** Cannot be guessed: who does not see the request cannot answer it. Source: RFC 7252, 5.3.1 and 11.4. */
  token: Buffer = randomBytes(TOKEN_BYTES);
  id = -1;
  bytes: Buffer | undefined;
  representation: Representation;
  /** When it was asked first, and when it is given up; steady clock. */
  startedAt = 0;
  deadline = 0;
  /** The device has it, and answers by itself. */
  isAcknowledged = false;
  /** An observation that was answered: what comes now are notifications. */
  isStanding = false;
  hasEchoed = false;
  restarts = 0;
  /** What it was last, of which the request has the tag. */
  shown: Tagged | undefined;
  #repeats = 0;
  #waitMs = 0;
  #repeatAt = 0;

  constructor(device: ClientDevice, reading: Reading, kind: AskKind, maxBody: number) {
    this.device = device;
    this.reading = reading;
    this.kind = kind;
    this.maxBody = maxBody;
    this.representation = new Representation(maxBody);
  }

  /** Each block is a request of its own. */
  sent(id: number, bytes: Buffer, now: number, timeoutMs: number): void {
    this.id = id;
    this.bytes = bytes;
    this.isAcknowledged = false;
    this.startedAt = now;
    this.deadline = now + timeoutMs;
    this.#repeats = 0;
    const first = Math.min(FIRST_MS, timeoutMs / TRIES_IN_TIMEOUT);
    this.#waitMs = first * (1 + Math.random() * (RANDOM_FACTOR - 1));
    this.#repeatAt = now + this.#waitMs;
  }

  /** True, and reckoned as sent, if it is time to send it again. Source: RFC 7252, 4.2. */
  repeats(now: number): boolean {
    if (this.isAcknowledged || this.#repeats === MOST_REPEATS || now < this.#repeatAt) return false;
    this.#repeats += 1;
    this.#waitMs *= 2;
    this.#repeatAt = now + this.#waitMs;
    return true;
  }

  newToken(): void {
    this.token = randomBytes(TOKEN_BYTES);
  }

  startAgain(): void {
    this.representation = new Representation(this.maxBody);
  }
}
