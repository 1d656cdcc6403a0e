import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a user does, in a process of its own. */
export function sluice(
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
