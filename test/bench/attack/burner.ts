/**
 * Takes a share of one processor, in one piece of each period, until it is disconnected. Started with share and period in
 * ms. What counts is the time that it gets, as it was counted for what it stands for.
 */
const share = Math.min(Number(process.argv[2]), 1);
const period = Number(process.argv[3]);
/** Between two looks at that time. */
const SPIN_MS = 0.2;
process.on('disconnect', () => process.exit());

let due = performance.now();
function step(): void {
  const enough = usedMs() + period * share;
  while (usedMs() < enough) for (const end = performance.now() + SPIN_MS; performance.now() < end; );
  // A machine that had no time for it is not asked for more than one piece later.
  due = Math.max(due + period, performance.now() - period);
  setTimeout(step, Math.max(0, due - performance.now()));
}

function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

process.send?.('ready');
step();
