import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its own tick is (proc(5), USER_HZ). */
const TICK_US = 10_000;
/** User and kernel time are each rounded down. */
const ROUNDED_US = 2 * TICK_US;

/**
 * Processor time of a process, its threads, and its children, also those that have ended; microseconds. From the
 * scheduler's own nanoseconds where the kernel gives them (a round of a fast subject is seven ticks, and two of them may be
 * rounding); a thread that came and went between two looks is known in ticks only, and counted to some 40 ms.
 */
export function cpuOf(pid: number): number {
  let sum = 0;
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(Number(name));
    if (stat !== undefined) stats.set(Number(name), stat);
  }
  for (const [each, stat] of stats) {
    if (descends(each, pid, stats)) sum += exactly(each, stat.ownUs) + stat.childrenUs;
  }
  return sum;
}

/** Processor time of a process without children, of all its threads; microseconds. One file: cheap enough to ask often. */
export function cpuOfOne(pid: number): number {
  const stat = read(pid);
  return stat === undefined ? Number.NaN : stat.ownUs + stat.childrenUs;
}

interface Stat {
  readonly parent: number;
  /** Of all its threads, those that have ended too. */
  readonly ownUs: number;
  /** Of children that have ended and were waited for. */
  readonly childrenUs: number;
}

/** By process: its threads as they were seen last, and what those that ended had used by then. */
const known = new Map<number, { threads: Map<string, number>; endedUs: number }>();

/** @param roughUs the same in ticks, of which nothing is missing */
function exactly(pid: number, roughUs: number): number {
  const threads = threadsOf(pid);
  if (threads.size === 0) return roughUs;
  let sum = 0;
  for (const us of threads.values()) sum += us;
  const before = known.get(pid);
  // At the first look it is not known what ended before: at least nothing of it may count later.
  let endedUs = before?.endedUs ?? Math.max(0, roughUs + ROUNDED_US - sum);
  for (const [thread, us] of before?.threads ?? []) if (!threads.has(thread)) endedUs += us;
  // A thread that came and went between two looks is in the ticks alone.
  endedUs = Math.max(endedUs, roughUs - sum);
  known.set(pid, { threads, endedUs });
  return sum + endedUs;
}

/** Microseconds of each thread; empty where the kernel does not say (CONFIG_SCHED_INFO). */
function threadsOf(pid: number): Map<string, number> {
  const threads = new Map<string, number>();
  for (const thread of listed(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
      threads.set(thread, Number(text.slice(0, text.indexOf(' '))) / 1000);
    } catch {
      // It ended meanwhile.
    }
  }
  return threads;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It ended meanwhile.
  }
}

function read(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold anything; behind it come state, parent, ...
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // utime, stime, cutime, cstime: fields 14 to 17, and the slice begins at 3.
    const [user = 0, kernel = 0, childUser = 0, childKernel = 0] = fields.slice(11, 15);
    const ownUs = (user + kernel) * TICK_US;
    return { parent: fields[1] ?? 0, ownUs, childrenUs: (childUser + childKernel) * TICK_US };
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function descends(pid: number, from: number, stats: ReadonlyMap<number, Stat>): boolean {
  for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) if (at === from) return true;
  return false;
}
