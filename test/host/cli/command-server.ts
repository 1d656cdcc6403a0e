/**
 * A process that runs command lines one after the other, as dist/host/cli/sluice.js runs one: what a test of many
 * commands waits for is mostly Node.js starting. Takes CommandLine messages, answers each with Ended.
 */
import { run } from '../../../host/cli/main.js';
import { setV8Flags } from '../../../sandbox/v8-flags.js';
import type { CommandLine, Ended } from './support.js';

setV8Flags();

const written = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return true;
  }) as typeof process.stdout.write;
}

let queue = Promise.resolve();
process.on('message', ({ args, cwd }: CommandLine) => {
  queue = queue.then(async () => {
    process.chdir(cwd);
    const code = await run(args);
    const ended: Ended = { code, ...written };
    written.stdout = '';
    written.stderr = '';
    process.send?.(ended);
  });
});
process.on('disconnect', () => process.exit());
