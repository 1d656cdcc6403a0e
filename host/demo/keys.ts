import type { ReadStream } from 'node:tty';

/** Control-C: in raw mode it comes as a character and not as a signal. */
const INTERRUPT = '\u0003';

/** Reads single keys from a terminal. `stop` gives it back as it was. */
export class Keys {
  readonly #input: ReadStream;
  readonly #wasRaw: boolean;

  /** @param pressed gets a lower-case letter; Control-C comes as `q` */
  constructor(input: ReadStream, pressed: (key: string) => void) {
    this.#input = input;
    this.#wasRaw = input.isRaw;
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.on('data', (text: string) => {
      // A sequence of a special key is no letter.
      if (text.startsWith('\u001b')) return;
      for (const key of text) pressed(key === INTERRUPT ? 'q' : key.toLowerCase());
    });
    input.resume();
  }

  stop(): void {
    this.#input.setRawMode(this.#wasRaw);
    this.#input.removeAllListeners('data');
    this.#input.pause();
  }
}
