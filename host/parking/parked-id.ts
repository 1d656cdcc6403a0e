import type { MessageId } from '../sinks/message-id.js';

const SPACE = 0x20;

/** The id of a frame as its record has it: behind it stands, after a space, the trace id that the frame came with. */
export class ParkedId implements MessageId {
  readonly late = false;
  readonly #id: MessageId;
  readonly #trace: Buffer;

  constructor(id: MessageId, trace: string) {
    this.#id = id;
    this.#trace = Buffer.from(trace, 'latin1');
  }

  get length(): number {
    return this.#id.length + 1 + this.#trace.length;
  }

  write(out: Buffer, at: number): number {
    const end = this.#id.write(out, at);
    out[end] = SPACE;
    return end + 1 + this.#trace.copy(out, end + 1);
  }
}

/** @param text what stands behind the last hyphen of such an id */
export function numberOf(text: string): { readonly sequence: number; readonly trace: string | undefined } {
  const space = text.indexOf(' ');
  if (space < 0) return { sequence: Number(text), trace: undefined };
  return { sequence: Number(text.slice(0, space)), trace: text.slice(space + 1) };
}
