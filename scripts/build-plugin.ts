/**
 * `node dist/scripts/build-plugin.js DIR OUT [--only-stale]`: one plugin, in a process of its own, as compilers need V8
 * without the gateway's flags. Prints one JSON line: the report, or the fault. Started by
 * `sluice plugin build` and `sluice plugin test`.
 */
import { faultOf } from '../runtime/index.js';
import { buildGuest } from './wasm/build-one.js';

const [dir = '.', out = 'plugin.wasm'] = process.argv.slice(2);
try {
  const report = await buildGuest(dir, out, { onlyStale: process.argv.includes('--only-stale') });
  console.log(JSON.stringify({ out, bytes: report.bytes, milliseconds: report.milliseconds }));
} catch (thrown) {
  console.log(JSON.stringify({ fault: faultOf(thrown) }));
  process.exitCode = 1;
}
