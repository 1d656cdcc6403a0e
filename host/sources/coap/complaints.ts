import type { Fault } from '../../../runtime/index.js';
import type { Ingress } from '../source.js';

/** What goes wrong at a source: counted, said in the log, and the last of it kept for its status. */
export class Complaints {
  readonly #name: string;
  readonly #ingress: Ingress;
  #last: Fault | undefined;

  constructor(name: string, ingress: Ingress) {
    this.#name = name;
    this.#ingress = ingress;
  }

  get last(): Fault | undefined {
    return this.#last;
  }

  /** Something was left out; that happens often, and a counter is enough. */
  skipped(code: Fault['code']): void {
    this.#ingress.skipped(code);
  }

  failed(code: Fault['code'], message: string, peer?: string): void {
    this.#last = { code, message: `${this.#name}: ${message}` };
    this.#ingress.failed(this.#last, peer);
  }
}
