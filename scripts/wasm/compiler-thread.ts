/** A thread of the compilers' process: builds guests, one after the other. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { appendManifest, type Fault, faultOf } from '../../runtime/index.js';
import { checkBuilt } from './check-built.js';
import { compileGuest } from './compile.js';
import type { GuestJob } from './guest.js';

export interface JobReport {
  readonly out: string;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly fault?: Fault;
}

/** The task of the thread. */
export default async function build(jobs: readonly GuestJob[]): Promise<JobReport[]> {
  const reports: JobReport[] = [];
  for (const job of jobs) reports.push(await run(job));
  return reports;
}

async function run(job: GuestJob): Promise<JobReport> {
  const began = performance.now();
  const done = (bytes: number, fault?: Fault): JobReport => ({
    out: job.out,
    bytes,
    milliseconds: performance.now() - began,
    ...(fault === undefined ? {} : { fault }),
  });
  try {
    const { bytes, toolchain } = await compileGuest(job);
    const packed = job.description.pack === false ? bytes : packGuest(job, bytes, toolchain);
    if (job.check === true) checkBuilt(packed);
    mkdirSync(dirname(job.out), { recursive: true });
    // Complete or not there: a gateway may watch this folder.
    writeFileSync(`${job.out}.part`, packed);
    renameSync(`${job.out}.part`, job.out);
    return done(packed.length);
  } catch (error) {
    return done(0, faultOf(error));
  }
}

function packGuest(job: GuestJob, bytes: Uint8Array, toolchain: string): Uint8Array {
  const { name, version, abi, kind, accepts, limits = {}, ports, description } = job.description;
  const { simd, features, imports } = job.description;
  return appendManifest(
    bytes,
    {
      name,
      version,
      ...(abi === undefined ? {} : { abi }),
      kind,
      accepts,
      limits,
      ...(ports === undefined ? {} : { ports }),
      ...(simd === undefined ? {} : { simd: simd === true ? 'baseline' : simd || 'none' }),
      ...(features === undefined ? {} : { features }),
      ...(imports === undefined ? {} : { imports }),
      ...(description === undefined ? {} : { description }),
      ...(job.vectors.length === 0 ? {} : { vectors: job.vectors }),
      toolchain,
      source: job.source,
    },
    createHash('sha256').update(bytes).digest('hex'),
  );
}
