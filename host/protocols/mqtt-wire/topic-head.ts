import { copyWords, isSame } from '../../../runtime/index.js';
import { copy } from './copy.js';
import { checkTopic, TEXT, type TextDefect } from './text.js';

/** A longer topic is checked and copied each time. */
const LONGEST = 512;

/**
 * The begin of a packet up to the end of its topic, without the fixed header (§3.3.2.1): length, prefix, name. Messages
 * that follow one another mostly have the same topic; then it is compared and copied by words, and not checked again.
 */
export class TopicHead {
  /** Bytes of the head of the topic that was looked at last. */
  length = 0;
  readonly #prefix: Buffer;
  readonly #bytes = Buffer.alloc(LONGEST);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, LONGEST);
  /** The head that was looked at last is in `#bytes`. */
  #isKept = false;
  /** Where the topic that was looked at last began. */
  #start = -1;

  /** @param prefix put before every topic as it is; checked by the caller */
  constructor(prefix: Buffer) {
    this.#prefix = prefix;
  }

  /** Looks at the topic `bytes[start, end)`, which `write` then writes. @param view of these bytes, if there is one */
  look(bytes: Buffer, view: DataView | undefined, start: number, end: number): TextDefect {
    const before = 2 + this.#prefix.length;
    const length = before + end - start;
    if (this.#isKept && view !== undefined && length === this.length)
      if (isSame(view, start, end, this.#view, before)) return TEXT.ok;
    this.#isKept = false;
    const defect = checkTopic(bytes, start, end, this.#prefix.length);
    if (defect !== TEXT.ok) return defect;
    this.length = length;
    // One that stands where that of the message before did is the same, as a rule, and so is the next: only then is it kept.
    if (start === this.#start && length <= LONGEST) {
      this.#put(bytes, start, end, this.#bytes, 0);
      this.#isKept = true;
    }
    this.#start = start;
    return TEXT.ok;
  }

  /** Writes the head of the topic that was looked at; gives the offset behind it. @param view of `out`, if there is one */
  write(
    bytes: Buffer,
    start: number,
    end: number,
    out: Buffer,
    view: DataView | undefined,
    at: number,
  ): number {
    if (this.#isKept && view !== undefined) return copyWords(this.#view, 0, this.length, view, at);
    return this.#put(bytes, start, end, out, at);
  }

  #put(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
    const prefix = this.#prefix;
    const length = prefix.length + end - start;
    out[at] = length >> 8;
    out[at + 1] = length & 0xff;
    return copy(bytes, start, end, out, copy(prefix, 0, prefix.length, out, at + 2));
  }
}
