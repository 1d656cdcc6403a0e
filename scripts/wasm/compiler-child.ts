/**
 * The process of the compilers: they are heavy, keep memory, and must not see the gateway's V8 flags.
 * Takes one list of jobs, builds them in as many threads as pay, and answers with a JobReport each.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { faultOf } from '../../runtime/index.js';
import type { JobReport } from './compiler-thread.js';
import type { GuestJob } from './guest.js';

/** Each thread loads its own compilers (LLVM: 4 s), so more of them cost more than they save. */
const MOST_THREADS = 2;

process.once('message', (jobs: GuestJob[]) => {
  const groups = groupsOf(jobs);
  const threads = new Piscina({
    filename: new URL('./compiler-thread.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: Math.min(MOST_THREADS, availableParallelism(), groups.length),
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
  });
  const say = (report: JobReport): void => void process.send?.(report);
  void Promise.all(
    groups.map(group =>
      threads.run(group).then(
        (reports: JobReport[]) => reports.forEach(say),
        (thrown: unknown) =>
          group.forEach(({ out }) => {
            say({ out, bytes: 0, milliseconds: 0, fault: faultOf(thrown) });
          }),
      ),
    ),
  );
});

/** What is made from one source goes to one thread, which compiles it once; the largest of these begin. */
function groupsOf(jobs: readonly GuestJob[]): GuestJob[][] {
  const groups = new Map<string, GuestJob[]>();
  for (const job of jobs) {
    const { entry, defines, simd } = job.description;
    const key = entry.endsWith('.ts') ? job.out : JSON.stringify([join(job.folder, entry), defines, simd]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [job]);
    else group.push(job);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}
