/** Takes a share of one processor, in one piece of each period, until it is disconnected. Started with share and period in ms. */
const share = Math.min(Number(process.argv[2]), 1);
const period = Number(process.argv[3]);
process.on('disconnect', () => process.exit());

function step(): void {
  const end = performance.now() + period * share;
  while (performance.now() < end);
  setTimeout(step, period * (1 - share));
}
step();
