import type { Recovery } from './recovery.js';

/**
 * While it is on, all that is published is refused (SLUICE_BREAKER_OPEN) in the stead of a chain whose breaker is open,
 * or that is not there.
 */
export class Refuser {
  readonly #recovery: Recovery;
  readonly #committed: () => void;
  #plugin: string | undefined;
  #putsAside = false;
  #soon: NodeJS.Immediate | undefined;

  /** @param committed told when outcomes are there */
  constructor(recovery: Recovery, committed: () => void) {
    this.#recovery = recovery;
    this.#committed = committed;
  }

  /** @param putsAside what is given back is to come again, before what is not published yet */
  on(plugin: string, putsAside: boolean): void {
    this.#plugin = plugin;
    this.#putsAside = putsAside;
    this.published();
  }

  off(): void {
    this.#plugin = undefined;
  }

  get isOn(): boolean {
    return this.#plugin !== undefined;
  }

  get putsAside(): boolean {
    return this.isOn && this.#putsAside;
  }

  /** Deals with what is published at once; for those who are not in the midst of a source's turn. */
  now(): void {
    clearImmediate(this.#soon);
    this.#refuse();
  }

  /** Something is published. It is not dealt with at once: this may be in the midst of a source's turn. */
  published(): void {
    if (this.#plugin !== undefined) this.#soon ??= setImmediate(this.#refuse);
  }

  readonly #refuse = (): void => {
    this.#soon = undefined;
    if (this.#plugin === undefined) return;
    const message = `the circuit breaker of ${this.#plugin} is open`;
    this.#recovery.refuseAll({ code: 'SLUICE_BREAKER_OPEN', message });
    this.#committed();
  };
}
