import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its own tick is (proc(5), USER_HZ). */
const TICK_US = 10_000;

/** Processor time of a process, its threads, and its children, also those that have ended; microseconds. */
export function cpuOf(pid: number): number {
  let ticks = 0;
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(Number(name));
    if (stat !== undefined) stats.set(Number(name), stat);
  }
  for (const [each, stat] of stats) if (descends(each, pid, stats)) ticks += stat.ticks;
  return ticks * TICK_US;
}

/** Processor time of a process without children, of all its threads; microseconds. One file: cheap enough to ask often. */
export function cpuOfOne(pid: number): number {
  return (read(pid)?.ticks ?? Number.NaN) * TICK_US;
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

function read(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold anything; behind it come state, parent, ...
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    // utime, stime, cutime, cstime: fields 14 to 17, and the slice begins at 3.
    return { parent, ticks: fields.slice(11, 15).reduce((sum, value) => sum + value, 0) };
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function descends(pid: number, from: number, stats: ReadonlyMap<number, Stat>): boolean {
  for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) if (at === from) return true;
  return false;
}
