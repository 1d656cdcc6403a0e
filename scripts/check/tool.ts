import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs a tool of node_modules/.bin; its output is the list of problems if it fails, else the list is empty. */
export function runTool(root: string, name: string, args: readonly string[]): string[] {
  const path = join(root, 'node_modules', '.bin', name);
  const { status, stdout, stderr, error } = spawnSync(path, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    shell: process.platform === 'win32',
  });
  if (error !== undefined) return [`${name} could not be run: ${error.message}`];
  if (status === 0) return [];
  const lines = `${stdout}${stderr}`.split('\n').filter(line => line.trim() !== '');
  return lines.length === 0 ? [`${name} ended with ${status}`] : lines;
}
