import { FrameWriter, Interned } from '../batch/frame-writer.js';
import { OutWriter } from '../batch/out-writer.js';
import { HEADER, Slab } from '../batch/slab.js';
import { MessageCursor, OutcomeCursor } from '../batch/slab-reader.js';
import { Stamp } from '../batch/stamp.js';
import type { Chain } from '../chain/chain.js';
import { FRAME } from '../contract.js';
import { LIMITS } from '../limits.js';
import type { FrameCopy } from './frame.js';
import { type Outcome, readOutcome } from './outcome.js';

/**
 * Runs frames as one batch through a chain in this thread, in memory of their own.
 * @param output most result bytes
 * @throws SluiceError a guest fault; the chain is then of no more use
 */
export function runInOneBatch(chain: Chain, frames: readonly FrameCopy[], output: number): Outcome[] {
  const out = passInOneBatch(chain, frames, output);
  const [outcome, message] = [new OutcomeCursor(), new MessageCursor()];
  return frames.map((_, index) => {
    outcome.load(out.slab, out.outcomesAt, index);
    return readOutcome(outcome, message, out.slab);
  });
}

/**
 * As above, for who wants to know no more than that it goes through: every result is checked, none is copied out.
 * @throws SluiceError a guest fault; the chain is then of no more use
 */
export function passInOneBatch(chain: Chain, frames: readonly FrameCopy[], output: number): OutWriter {
  const { slab, header } = pack(frames);
  const word = (index: number): number => header[index] as number;
  const out = new OutWriter(slab, word(HEADER.inputEnd), frames.length, output, enlarge);
  chain.run(slab, word(HEADER.dataEnd), word(HEADER.recordsAt), 0, frames.length, out);
  return out;
}

/** A slab of these frames, and its header. */
function pack(frames: readonly FrameCopy[]): { slab: Slab; header: Int32Array } {
  const parts = frames.map(({ source, topic, properties }) => ({
    source: Interned.text(source),
    topic: Interned.text(topic),
    properties: properties.length === 0 ? undefined : Interned.properties(properties),
  }));
  let need = 0;
  for (const [i, { source, topic, properties }] of parts.entries())
    need += FrameWriter.need(source, topic, properties, (frames[i] as FrameCopy).payload.length);
  let size: number = LIMITS.slab;
  while (size / 2 < need) size *= 2;
  const slab = new Slab(new ArrayBuffer(size));
  const writer = new FrameWriter(slab, new Uint32Array((frames.length * FRAME.size) >> 2), size / 2);
  for (const [i, { source, topic, properties }] of parts.entries()) {
    const { payload, timestamp } = frames[i] as FrameCopy;
    writer.push(source, topic, Stamp.ofNanos(timestamp), payload, 0, payload.length, properties);
  }
  const header = new Int32Array(HEADER.words);
  writer.finish(header, 0);
  return { slab, header };
}

function enlarge(old: Slab, size: number): Slab {
  const larger = new Slab(new ArrayBuffer(size));
  larger.u8.set(old.u8);
  return larger;
}
