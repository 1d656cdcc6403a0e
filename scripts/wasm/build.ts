/** Builds guests: resolves them, leaves out what is up to date, hands the rest to the compilers' process. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../runtime/index.js';
import type { JobReport } from './compiler-thread.js';
import { type GuestDescription, type GuestJob, isOfC, readDescription, resolveGuest } from './guest.js';
import { PACKAGE_ROOT } from './package-root.js';
import { toolchainLabel } from './toolchain.js';

export interface BuildOptions {
  /** Root of the package. Absent: that of this file. */
  readonly root?: string;
  /** Where the files go. Absent: dist/ of the root. */
  readonly out?: string;
  /** Build all, also what is up to date. */
  readonly force?: boolean;
  /** Names of files, without .wasm. Absent: all. */
  readonly only?: readonly string[];
  /** Called for each file: built, or up to date (`report` undefined). */
  readonly onGuest?: (out: string, report: JobReport | undefined) => void;
}

/** What was built from what and by what, so that the next build can leave it out. */
type Stamps = Record<string, string>;

/**
 * All guests of the tree: plugins-wasm and cpp-kernels into plugins/, test/guests into test/guests/. Returns the files.
 * @throws SluiceError SLUICE_PLUGIN_BUILD, also for a name that no guest has
 */
export async function buildAll(options: BuildOptions = {}): Promise<string[]> {
  const root = options.root ?? PACKAGE_ROOT;
  const out = options.out ?? join(root, 'dist');
  const jobs = allGuests(root, out);
  return build(named(jobs, options.only ?? []), join(out, '.wasm-stamps.json'), options);
}

function named(jobs: GuestJob[], names: readonly string[]): GuestJob[] {
  const known = new Set(jobs.map(nameOf));
  const unknown = names.filter(name => !known.has(name));
  if (unknown.length > 0)
    throw new SluiceError(
      'SLUICE_PLUGIN_BUILD',
      `no guest is called ${unknown.join(', ')}; there are ${[...known].join(', ')}`,
    );
  return names.length === 0 ? jobs : jobs.filter(job => names.includes(nameOf(job)));
}

function nameOf({ out }: GuestJob): string {
  return basename(out, '.wasm');
}

/** Files that describe several guests, and where these go. */
const LISTS = [
  ['cpp-kernels/plugins/plugins.json', 'plugins'],
  ['plugins-wasm/conformance/guests.json', 'test/guests'],
  ['test/guests/guests.json', 'test/guests'],
] as const;

function allGuests(root: string, out: string): GuestJob[] {
  const jobs: GuestJob[] = [];
  for (const name of readdirSync(join(root, 'plugins-wasm')).sort()) {
    const index = join(root, 'plugins-wasm', name, 'plugin.json');
    if (!existsSync(index)) continue;
    jobs.push(resolveGuest(root, index, readDescription(index), join(out, 'plugins', `${name}.wasm`)));
  }
  for (const [file, folder] of LISTS) {
    const index = join(root, file);
    if (!existsSync(index)) continue;
    for (const guest of JSON.parse(readFileSync(index, 'utf8')) as GuestDescription[]) {
      jobs.push(resolveGuest(root, index, guest, join(out, folder, `${guest.file ?? guest.name}.wasm`)));
    }
  }
  return jobs;
}

async function build(jobs: readonly GuestJob[], stampFile: string, options: BuildOptions): Promise<string[]> {
  const stamps = readStamps(stampFile);
  const cxx = toolchainLabel();
  // Another compiler may give other bytes, and the file says which one it was.
  const stampOf = (job: GuestJob): string => (isOfC(job) ? `${job.source} ${cxx}` : job.source);
  const stale = jobs.filter(
    job => options.force === true || stamps[job.out] !== stampOf(job) || !existsSync(job.out),
  );
  for (const job of jobs) if (!stale.includes(job)) options.onGuest?.(job.out, undefined);
  await compile(stale, (job, report) => {
    stamps[job.out] = stampOf(job);
    options.onGuest?.(job.out, report);
  }).finally(() => {
    mkdirSync(dirname(stampFile), { recursive: true });
    writeFileSync(stampFile, JSON.stringify(stamps, undefined, 1));
  });
  return jobs.map(job => job.out);
}

/** @throws SluiceError the first fault, once all jobs have been tried */
async function compile(
  jobs: readonly GuestJob[],
  onDone: (job: GuestJob, report: JobReport) => void,
): Promise<void> {
  if (jobs.length === 0) return;
  const child = fork(fileURLToPath(import.meta.resolve('./compiler-child.js')), {
    // LLVM as wasm runs for a second or two a file: optimising it first costs twice what it saves.
    execArgv: ['--liftoff-only'],
    serialization: 'json',
  });
  try {
    const reports = await reportsOf(child, jobs, onDone);
    const failed = jobs.map(job => reports.get(job.out)?.fault).find(fault => fault !== undefined);
    if (failed !== undefined) throw SluiceError.fromFault(failed);
  } finally {
    child.kill();
  }
}

function reportsOf(
  child: ChildProcess,
  jobs: readonly GuestJob[],
  onDone: (job: GuestJob, report: JobReport) => void,
): Promise<Map<string, JobReport>> {
  const waiting = new Map(jobs.map(job => [job.out, job]));
  const reports = new Map<string, JobReport>();
  return new Promise((resolved, rejected) => {
    child.once('exit', code =>
      rejected(
        new SluiceError(
          'SLUICE_PLUGIN_BUILD',
          `the compilers' process ended (${code}) while it built ${[...waiting.keys()].join(', ')}`,
        ),
      ),
    );
    child.on('message', message => {
      const report = message as JobReport;
      const job = waiting.get(report.out);
      if (job === undefined || !waiting.delete(report.out)) return;
      reports.set(report.out, report);
      if (report.fault === undefined) onDone(job, report);
      if (waiting.size === 0) resolved(reports);
    });
    child.send(jobs);
  });
}

function readStamps(file: string): Stamps {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stamps;
  } catch {
    return {};
  }
}
