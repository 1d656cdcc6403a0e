/**
 * `npm run build`, second step: removes from dist/ what has no source any more. tsc leaves the output of files that
 * were renamed or removed, and the test runner would go on running it.
 */
import { existsSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './check/root.js';

const outputs = globSync('dist/{runtime,sandbox,host,scripts,cpp-kernels,test}/**/*.{js,js.map}', {
  cwd: ROOT,
});
for (const output of outputs) {
  const source = output.replace(/^dist[\\/]/, '').replace(/(\.bundle)?\.js(\.map)?$/, '.ts');
  if (!existsSync(join(ROOT, source))) rmSync(join(ROOT, output));
}
