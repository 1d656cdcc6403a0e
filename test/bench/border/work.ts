import assert from 'node:assert/strict';
import { Interned } from '../../../runtime/index.js';

/** Different frames; they are used again and again. */
export const FRAMES = 1024;
/** Bytes of a frame: MBAP header, function, byte count, twelve registers. */
export const FRAME_BYTES = 33;
export const TOPIC = Buffer.from('line1/1/3/0-11');
export const SOURCE = Interned.text('line1');
export const TOPIC_TEXT = Interned.text(TOPIC.toString());

/** Twelve-register replies, from one digit a register to five. */
export const ADUS: readonly Buffer[] = Array.from({ length: FRAMES }, (_, i) => {
  const adu = Buffer.alloc(FRAME_BYTES);
  adu.writeUInt16BE(i, 0);
  adu.writeUInt16BE(27, 4);
  adu.set([1, 3, 24], 6);
  for (let register = 0; register < 12; register++)
    adu.writeUInt16BE(registerOf(i, register), 9 + register * 2);
  return adu;
});

function registerOf(frame: number, register: number): number {
  return (frame * 7 + register * 1234) & 0xffff;
}

/** What has to come out, reckoned by JSON.stringify and not by any guest. */
const EXPECTED: readonly Buffer[] = ADUS.map((_, i) => {
  const values = Array.from({ length: 12 }, (_, register) => registerOf(i, register));
  return Buffer.from(JSON.stringify({ unit: 1, function: 3, first: 0, values }));
});

/** What `Tally` adds up for the result of each frame. */
const LIGHT = EXPECTED.map(
  json => TOPIC.length + TOPIC[0]! + json.length + json[0]! + json[json.length - 1]!,
);

/**
 * Reads results: the same work for every variant. Light while the clock runs: topic and payload are touched
 * at their ends, and the sum over all results has to be right. Full once a variant: every byte is compared.
 */
export class Tally {
  readonly #full: boolean;
  #sum = 0;
  #expected = 0;
  #checksum = 0;
  readonly #seen = new Set<number>();
  count = 0;

  constructor(full: boolean) {
    this.#full = full;
  }

  /** True once a full tally has compared every one of the FRAMES results. */
  get isComplete(): boolean {
    return this.#seen.size === FRAMES;
  }

  /** Sum of all payload bytes of a full tally, each of the FRAMES results once. */
  get checksum(): number {
    return this.#checksum;
  }

  /** @param frame the result is that of frame `frame` mod FRAMES */
  take(
    frame: number,
    topic: Uint8Array,
    topicStart: number,
    topicEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#sum += topicEnd - topicStart + topic[topicStart]! + end - start + bytes[start]! + bytes[end - 1]!;
    this.#expected += LIGHT[frame & (FRAMES - 1)]!;
    this.count++;
    if (this.#full) this.#compare(frame & (FRAMES - 1), topic, topicStart, topicEnd, bytes, start, end);
  }

  /** @throws AssertionError a result was wrong, or one is missing */
  check(frames: number): void {
    assert.equal(this.count, frames, 'results do not match the frames in number');
    assert.equal(this.#sum, this.#expected, 'the sum over the results is wrong');
  }

  #compare(
    frame: number,
    topic: Uint8Array,
    topicStart: number,
    topicEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    assert.ok(TOPIC.equals(topic.subarray(topicStart, topicEnd)), `the topic of frame ${frame} is wrong`);
    const payload = bytes.subarray(start, end);
    assert.ok(EXPECTED[frame]!.equals(payload), `the payload of frame ${frame} is wrong`);
    if (this.#seen.has(frame)) return;
    this.#seen.add(frame);
    for (const byte of payload) this.#checksum += byte;
  }
}
