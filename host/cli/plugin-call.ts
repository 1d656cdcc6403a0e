import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { ERRORS, type Outcome, SluiceError, showFault } from '../../runtime/index.js';
import { readPlugin } from '../plugin-tools/plugin-file.js';
import { runFrames } from '../plugin-tools/run-frames.js';
import { plainMessage, showMessage } from '../plugin-tools/show.js';
import { TestBed } from '../plugin-tools/test-bed.js';
import { pickBuild } from '../plugins/simd-build.js';
import { EXIT } from './exit.js';

export interface CallOptions {
  readonly hex?: string;
  readonly text?: string;
  readonly in?: string;
  readonly topic: string;
  readonly source: string;
  readonly config: string;
  readonly json?: boolean;
}

/**
 * Runs one frame through a plugin in the real sandbox and prints what came out: messages (also those of a flush
 * behind it), or the coded fault, and then the exit code is 1.
 * @throws SluiceError of the file, of the start
 */
export async function callPlugin(file: string, options: CallOptions): Promise<number> {
  const problem = usageProblem(options);
  if (problem !== undefined) {
    process.stderr.write(`sluice: ${problem}\n`);
    return EXIT.usage;
  }
  const plugin = await readPlugin(pickBuild(file));
  const payload = await frameOf(options);
  await using bed = new TestBed();
  const chain = await bed.chainOf(plugin, options.config);
  const { topic, source } = options;
  const timestamp = BigInt(Date.now()) * 1_000_000n;
  const { outcomes, flushed, notes } = await runFrames(bed.pool, chain, [
    { source, topic, timestamp, payload, properties: [] },
  ]);
  const all = [...outcomes, ...flushed];
  for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(options.json ? json(outcomes[0] as Outcome, flushed) : all.map(text).join(''));
  return all.some(({ fault }) => fault !== undefined) ? EXIT.failure : EXIT.ok;
}

function usageProblem({ hex, text, in: file, config }: CallOptions): string | undefined {
  if ([hex, text, file].filter(each => each !== undefined).length !== 1)
    return 'give the frame by one of --hex, --text and --in';
  if (hex !== undefined && !/^(?:\s*[0-9a-fA-F]{2})*\s*$/.test(hex))
    return `--hex ${hex} is not pairs of hex digits`;
  try {
    JSON.parse(config);
    return undefined;
  } catch (thrown) {
    return `--config is not JSON: ${(thrown as Error).message}`;
  }
}

async function frameOf({ hex, text, in: file = '-' }: CallOptions): Promise<Buffer> {
  if (hex !== undefined) return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
  return text === undefined ? await readFrame(file) : Buffer.from(text);
}

async function readFrame(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${file}: ${(cause as Error).message}`, { cause });
  }
}

function text({ messages, fault }: Outcome): string {
  // What a plugin answers of itself is its own business; what the sandbox says of it has a remedy.
  if (fault !== undefined) {
    const remedy = fault.code.startsWith('SLUICE_GUEST_') ? `\n  ${ERRORS[fault.code].remedy}` : '';
    return `${showFault(fault)}${remedy}\n`;
  }
  return messages.length === 0 ? 'no message\n' : messages.map(each => `${showMessage(each)}\n`).join('');
}

/** One line: `messages` or `fault`, and `flushed`; payloads are hex, and text where they are text. */
function json({ messages, fault }: Outcome, flushed: readonly Outcome[]): string {
  const given = flushed.flatMap(each => each.messages).map(plainMessage);
  const lost = flushed.flatMap(each => each.fault ?? []);
  return `${JSON.stringify({
    ...(fault === undefined ? { messages: messages.map(plainMessage) } : { fault }),
    ...(given.length === 0 ? {} : { flushed: given }),
    ...(lost.length === 0 ? {} : { flushFaults: lost }),
  })}\n`;
}
