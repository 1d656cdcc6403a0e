import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, in memory. @throws Error it may not be mounted here */
export function mountSmallDisk(size: string): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch (thrown) {
    rmSync(dir, { recursive: true });
    throw thrown;
  }
  return {
    dir,
    remove() {
      execFileSync('umount', ['-l', dir]);
      rmSync(dir, { recursive: true });
    },
  };
}

/** Why no file system can be mounted here; false: it can. Root of a container may not. */
export function cannotMount(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  try {
    mountSmallDisk('64k').remove();
    return false;
  } catch {
    return 'needs leave to mount a small file system';
  }
}

/** Somebody else fills it, with files `ballast0`, `ballast1`, ... */
export function fillDisk(dir: string): void {
  for (let number = 0; ; number++) {
    const name = join(dir, `ballast${number}`);
    const left = Number(execFileSync('df', ['--output=avail', '-B1', dir]).toString().split('\n')[1]);
    if (left === 0) return;
    try {
      writeFileSync(name, Buffer.alloc(Math.min(left, 2 ** 20)));
    } catch {
      rmSync(name, { force: true });
      return;
    }
  }
}
