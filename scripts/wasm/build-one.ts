/** Builds one guest in this process, which has to be one without the gateway's V8 flags. */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readManifest, SluiceError } from '../../runtime/index.js';
import compileAll, { type JobReport } from './compiler-thread.js';
import { type GuestJob, isOfC, readDescription, resolveGuest } from './guest.js';
import { PACKAGE_ROOT } from './package-root.js';
import { toolchainLabel } from './toolchain.js';

/**
 * One plugin: `path` is its folder or its plugin.json, `out` the file to write. With `onlyStale` a file that was made
 * from the same source by the same builder is left as it is; one that a gateway would refuse is not written.
 * @throws SluiceError SLUICE_PLUGIN_BUILD, SLUICE_PLUGIN_TOOLS, SLUICE_MODULE_*, SLUICE_MANIFEST_INVALID
 */
export async function buildGuest(
  path: string,
  out: string,
  options: { readonly onlyStale?: boolean } = {},
): Promise<JobReport> {
  const index = resolve(path.endsWith('.json') ? path : join(path, 'plugin.json'));
  const job = {
    ...resolveGuest(PACKAGE_ROOT, index, readDescription(index), resolve(out)),
    check: true,
  };
  if (options.onlyStale === true && isUpToDate(job))
    return { out: job.out, bytes: statSync(job.out).size, milliseconds: 0 };
  const [report] = await compileAll([job]);
  if (report!.fault !== undefined) throw SluiceError.fromFault(report!.fault);
  return report!;
}

/** Made from the same source, by the compiler that would make it now; its manifest says both. */
function isUpToDate(job: GuestJob): boolean {
  try {
    const made = readManifest(readFileSync(job.out))?.manifest;
    const isSame = !isOfC(job) || made?.toolchain?.startsWith(toolchainLabel() ?? '') === true;
    return isSame && made?.source === job.source;
  } catch {
    return false;
  }
}
