/** `npm run build:wasm [-- NAME... --force]`: guests of the tree, all or those named, leaving out what is up to date. */
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { faultOf } from '../runtime/index.js';
import { buildAll } from './wasm/build.js';

const began = performance.now();
let built = 0;
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  });
  const files = await buildAll({
    force: values.force,
    only: positionals,
    onGuest: (out, report) => {
      if (report === undefined) return;
      built++;
      console.log(`${relative('.', out)}  ${report.bytes} bytes  ${report.milliseconds.toFixed(0)} ms`);
    },
  });
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  console.log(
    `${built} built, ${files.length - built} up to date, ${bytes} bytes, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
} catch (error) {
  const fault = faultOf(error);
  console.error(`${fault.code}: ${fault.message}`);
  process.exitCode = 1;
}
