import { type Outcome, showFault } from '../../runtime/index.js';
import { readFrames, type StoredFrame } from '../plugin-tools/frame-file.js';
import { readPlugin } from '../plugin-tools/plugin-file.js';
import { runFrames } from '../plugin-tools/run-frames.js';
import { plainMessage, showMessage } from '../plugin-tools/show.js';
import { TestBed } from '../plugin-tools/test-bed.js';
import { pickBuild } from '../plugins/simd-build.js';
import { EXIT } from './exit.js';

export interface ReplayOptions {
  readonly plugin: string;
  readonly config: string;
  readonly json?: boolean;
}

/**
 * Runs the frames of files through a plugin in the real sandbox, and prints what comes out of each; exit code 1
 * if one is refused.
 * @throws SluiceError SLUICE_REPLAY_FILE, of the plugin's file, of its start
 */
export async function replayFiles(files: readonly string[], options: ReplayOptions): Promise<number> {
  const stored: StoredFrame[] = [];
  for (const file of files) stored.push(...(await readFrames(file)));
  const plugin = await readPlugin(pickBuild(options.plugin));
  await using bed = new TestBed();
  const chain = await bed.chainOf(plugin, options.config);
  const frames = stored.map(({ frame }) => frame);
  const { outcomes, notes } =
    frames.length === 0 ? { outcomes: [], notes: [] } : await runFrames(bed.pool, chain, frames);
  for (const note of notes) process.stderr.write(`${note}\n`);
  let refused = 0;
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.fault !== undefined) refused++;
    process.stdout.write(options.json === true ? line(stored[index], outcome) : text(stored[index], outcome));
  }
  const { name, version } = plugin.manifest;
  const summary = `${name} ${version}: ${outcomes.length} frames, ${outcomes.length - refused} converted, ${refused} refused\n`;
  (options.json === true ? process.stderr : process.stdout).write(summary);
  return refused > 0 ? EXIT.failure : EXIT.ok;
}

function text(stored: StoredFrame | undefined, { fault, messages }: Outcome): string {
  const before = stored?.code === undefined ? '' : `  (was ${stored.code})`;
  const head = `frame ${stored?.id}  ${stored?.frame.topic}${before}`;
  const lines = fault === undefined ? messages.map(showMessage) : [showFault(fault)];
  const body = lines.length === 0 ? ['no message'] : lines;
  return `${[head, ...body.map(each => each.replaceAll(/^/gm, '  '))].join('\n')}\n`;
}

function line(stored: StoredFrame | undefined, { fault, messages }: Outcome): string {
  const told = fault === undefined ? { messages: messages.map(plainMessage) } : { fault };
  return `${JSON.stringify({ id: stored?.id, topic: stored?.frame.topic, ...told })}\n`;
}
