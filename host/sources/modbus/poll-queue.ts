import type { Ingress } from '../source.js';
import { type Request, RequestLine } from './request.js';

/** The requests of one device that are to be sent next. */
export class PollQueue extends RequestLine {
  readonly #ingress: Ingress;
  readonly #device: string;

  /** @param capacity of all of the device's requests: each waits here once at most */
  constructor(capacity: number, ingress: Ingress, device: string) {
    super(capacity);
    this.#ingress = ingress;
    this.#device = device;
  }

  /**
   * Takes those in that there is no reason to skip.
   * @param isAway there is no connection @param isHeld an answer waits for room
   */
  ask(requests: readonly Request[], isAway: boolean, isHeld: boolean): void {
    const ingress = this.#ingress;
    for (const request of requests) {
      if (isAway) ingress.skipped('SLUICE_SOURCE_DISCONNECTED');
      else if (isHeld) ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      else if (request.underWay) ingress.skipped('SLUICE_SOURCE_OVERRUN', 1, this.#device);
      else if (!ingress.hasRoom(request.answerBytes)) ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      else {
        request.underWay = true;
        this.push(request);
      }
    }
  }

  /** The connection is gone: all that wait are skipped. */
  skipAll(): void {
    const count = this.length;
    while (this.length > 0) this.shift().underWay = false;
    if (count > 0) this.#ingress.skipped('SLUICE_SOURCE_DISCONNECTED', count);
  }
}
