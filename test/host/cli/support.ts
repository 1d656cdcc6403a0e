import { type ChildProcess, execFile, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));

export interface CommandLine {
  readonly args: readonly string[];
  readonly cwd: string;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let server: ChildProcess | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** Runs a command line in a process that has the program loaded already: see command-server.ts. */
export function sluice(args: readonly string[], { cwd = process.cwd() } = {}): Promise<Ended> {
  const ended = queue.then(() => ask({ args, cwd }));
  queue = ended.catch(() => {});
  return ended;
}

function ask(line: CommandLine): Promise<Ended> {
  const child = server ?? start();
  server = child;
  return new Promise((resolve, reject) => {
    const failed = (code: number | null): void =>
      reject(new Error(`sluice ${line.args.join(' ')} ended its process (${code})`));
    child.channel?.ref();
    child.once('exit', failed);
    child.once('message', ended => {
      child.off('exit', failed);
      child.channel?.unref();
      resolve(ended as Ended);
    });
    child.send(line);
  });
}

function start(): ChildProcess {
  const child = fork(fileURLToPath(new URL('./command-server.js', import.meta.url)), { execArgv: [] });
  child.once('exit', () => {
    server = undefined;
  });
  child.unref();
  return child;
}

/** Runs the program as a user does, in a process of its own. */
export function sluiceProcess(
  args: readonly string[],
  options: { cwd?: string; node?: readonly string[] } = {},
): Promise<Ended> {
  const { node = [], cwd = process.cwd() } = options;
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [...node, ENTRY, ...args],
      { cwd, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}
