#!/usr/bin/env node
// The entry. It has to parse on a Node.js that is too old to run the rest, in order to say so; hence no import
// but by need, and no syntax of later years.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `sluice: this is Node.js ${process.versions.node}, and 24 or newer is needed: in the checkout start ` +
      'it through npm (npm start, npx sluice), elsewhere `npm install node@24` first (SLUICE_NODE_VERSION)\n',
  );
  process.exitCode = 1;
} else {
  // Who reads has gone (`| head`, `| less`): there is nobody left to tell. A gateway serves on, all else ends as a shell's
  // own commands do (128 and SIGPIPE).
  process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
    if (fault.code !== 'EPIPE') throw fault;
    if (process.argv[2] !== 'start') process.exit(141);
  });
  const { setV8Flags } = await import('../../sandbox/v8-flags.js');
  setV8Flags();
  const { holdYoungSpace } = await import('../../sandbox/young-space.js');
  holdYoungSpace();
  const { run } = await import('./main.js');
  process.exitCode = await run(process.argv.slice(2));
}
