import { type Fault, faultOf } from '../../../runtime/index.js';
import type { Ingress } from '../source.js';
import type { Reading, Value } from './reading.js';

/** What was read becomes frames. What is observed says nothing more until it changes: the newest waits for room. */
export class Frames {
  readonly #ingress: Ingress;
  readonly #failed: (code: Fault['code'], message: string) => void;
  /** In the order in which they found no room. */
  readonly #held = new Map<Reading, Value>();
  #address = '';
  #last = 0;

  constructor(ingress: Ingress, failed: (code: Fault['code'], message: string) => void) {
    this.#ingress = ingress;
    this.#failed = failed;
  }

  /** When the last was made, milliseconds since 1970; 0: none yet. */
  get last(): number {
    return this.#last;
  }

  isHeld(reading: Reading): boolean {
    return this.#held.has(reading);
  }

  /** @param address of the device */
  make(reading: Reading, address: string, value: Value): void {
    this.#address = address;
    const isReplaced = this.#held.delete(reading);
    if (!isReplaced && this.#push(reading, value)) return;
    if (reading.isObserved) this.#held.set(reading, value);
    // Left out: the poll itself, or what was observed before.
    if (isReplaced || !reading.isObserved) this.#ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
  }

  /** There is room again. False: not for all that is held. */
  resume(): boolean {
    for (const [reading, value] of this.#held) {
      if (!this.#push(reading, value)) return false;
      this.#held.delete(reading);
    }
    return true;
  }

  /** False: there is no room. */
  #push(reading: Reading, value: Value): boolean {
    try {
      if (!reading.push(this.#address, value)) return false;
      this.#last = value.at;
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      this.#failed(code, `${reading.path} is left out: ${message}`);
    }
    return true;
  }
}
