/** One parser over frames of 64 bytes, in a process of its own. Argument: `tunnel` or `prefix`. Started by tunnel.ts. */
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { DataFrame } from '../../../host/protocols/tunnel/messages.js';
import { PrefixScanner } from '../ends/prefix-scanner.js';
import { FRAME, framingOf, type Kind } from './frames.js';

export interface ParseTask {
  /** Whole frames in each chunk. */
  readonly perWrite: number;
  readonly ms: number;
}
export interface Parsed {
  readonly frames: number;
  readonly cpuUs: number;
}

/** So many chunks lie one behind the other, as a stream's do: the bytes are not always the same ones. */
const BYTES = 1 << 20;

const kind = process.argv[2] as Kind;
const framing = framingOf(kind, 'parse');
const stream = Buffer.alloc(BYTES);
for (let at = 0, n = 1; at < BYTES; n++) at = framing.put(stream, at, n);

let frames = 0;
/** What is done with each frame: where its payload is has to be known. */
let payloads = 0;
const reader = new FrameReader(1 << 18);
const data = new DataFrame();
const scanner = new PrefixScanner();
const count = (_: Buffer, start: number, end: number): void => {
  frames++;
  payloads += end - start;
};
const parse: Record<Kind, (chunk: Buffer) => void> = {
  tunnel: chunk => {
    reader.feed(chunk);
    while (reader.next()) {
      data.read(reader);
      frames++;
      payloads += data.payloadEnd - data.payloadStart;
    }
  },
  prefix: chunk => scanner.push(chunk, count),
};

process.on('message', ({ perWrite, ms }: ParseTask) => {
  const size = perWrite * FRAME;
  const chunks = Array.from({ length: BYTES / size }, (_, i) => stream.subarray(i * size, (i + 1) * size));
  const push = parse[kind];
  frames = payloads = 0;
  const before = process.cpuUsage();
  const end = performance.now() + ms;
  while (performance.now() < end) for (const chunk of chunks) push(chunk);
  const { user, system } = process.cpuUsage(before);
  if (payloads < frames) throw new Error('frames without a payload');
  process.send?.({ frames, cpuUs: user + system } satisfies Parsed);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
