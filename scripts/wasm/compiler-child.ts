/**
 * The process of the compilers: they are heavy, keep memory, and must not see the gateway's V8 flags.
 * Takes one GuestJob a message and answers each with a JobReport.
 */
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
  const { name, version, abi, kind, accepts, limits = {}, description } = job.description;
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

// One after the other: the compilers share one address space.
let queue = Promise.resolve();
process.on('message', (job: GuestJob) => {
  queue = queue.then(async () => {
    process.send?.(await run(job));
  });
});
