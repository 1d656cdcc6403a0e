/**
 * `npm run build`, third step: what a thread of the gateway runs, in one file each. A thread that loads seventy modules
 * by themselves takes half as long again to come up, and a killed plugin waits for its next thread.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './check/root.js';

await build({
  absWorkingDir: ROOT,
  entryPoints: ['dist/sandbox/worker/worker.js', 'dist/host/store/thread/thread.js'],
  outdir: join(ROOT, 'dist'),
  outbase: 'dist',
  outExtension: { '.js': '.bundle.js' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
