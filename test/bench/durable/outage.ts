import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchResult, progress } from '../report.js';
import { rounded } from '../stats.js';
import { Publisher } from './publisher.js';
import { Site } from './site.js';

/** 13 hours of 20 messages a second, as fast as they go. */
const HOURS = 13;
/** With `--short`. */
const FEW_HOURS = 1;
const PER_SECOND = 20;
const SOURCES = 4;
/** Nothing more comes into the spool for so long: what is missing is lost. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 500;
/** What a gateway may grow by from the second quarter of the outage to its last. */
const GROWTH = 1.1;
const PAYLOAD = 150;

/** The sink is away for all of it; then it comes back, while the sources go on. */
export async function outage(short: boolean): Promise<BenchResult> {
  const hours = short ? FEW_HOURS : HOURS;
  const each = (hours * 3600 * PER_SECOND) / SOURCES;
  const site = await Site.build(SOURCES, '4GiB');
  try {
    await site.gateway.start();
    site.line.cut();
    const { port } = site.broker;
    const publishers = await Promise.all(
      Array.from({ length: SOURCES }, (_, source) => Publisher.connect(port, source)),
    );
    const memory: number[] = [];
    const timer = setInterval(() => memory.push(residentOf(site.gateway.pid)), LOOK_MS);
    const began = performance.now();
    const total = each * SOURCES;
    await Promise.all(publishers.map(publisher => publisher.publish(0, each, PAYLOAD)));
    let last = -1;
    for (let since = performance.now(); performance.now() - since < PATIENCE_MS; await sleep(LOOK_MS)) {
      const spooled = site.gateway.spooled;
      if (spooled >= total) break;
      if (spooled === last) continue;
      progress(`${spooled} of ${total} are in the spool`);
      since = performance.now();
      last = spooled;
    }
    const spooled = site.gateway.spooled;
    const spoolSeconds = (performance.now() - began) / 1000;
    const quarter = Math.floor(memory.length / 4);
    // The first quarter is warming up; from the second to the last the spool grows to twice its size.
    const early = Math.max(...memory.slice(quarter, 2 * quarter));
    const late = Math.max(...memory.slice(-quarter));
    progress(`${spooled} messages in the spool after ${Math.round(spoolSeconds)} s; the sink comes back`);
    const back = performance.now();
    site.line.mend();
    const more = each / 20;
    await Promise.all(publishers.map(publisher => publisher.publish(each, each + more, PAYLOAD)));
    while (site.gateway.spooled > 0) await sleep(LOOK_MS);
    const catchUpSeconds = (performance.now() - back) / 1000;
    await site.quiet();
    clearInterval(timer);
    const peak = Math.max(...memory);
    const exit = await site.gateway.stop();
    await Promise.all(publishers.map(publisher => publisher.close()));
    const count = await site.count(publishers.map(() => each + more));
    const rate = Math.round((total + more * SOURCES) / catchUpSeconds);
    const growth = rounded(late / early);
    return {
      ratios: {
        lost: count.lost,
        'out of order': count.outOfOrder,
        'not spooled': total - spooled,
        'memory, last quarter of the outage to its second': growth,
        'exit of the stop': Number(exit),
      },
      targets: {
        lost: { atMost: 0 },
        'out of order': { atMost: 0 },
        'not spooled': { atMost: 0 },
        'memory, last quarter of the outage to its second': { atMost: GROWTH },
        'exit of the stop': { atMost: 0 },
      },
      figures: {
        hours,
        perSecond: PER_SECOND,
        messages: total,
        spoolPerSecond: Math.round(spooled / spoolSeconds),
        catchUpPerSecond: rate,
        catchUpSeconds: Math.round(catchUpSeconds),
        residentMiB: { early: mib(early), late: mib(late), peak: mib(peak) },
        ...count,
      },
      tables: [
        {
          head: [
            `${hours} h at ${PER_SECOND}/s`,
            'messages',
            'into the spool, /s',
            'catch-up, /s',
            'peak RSS, MiB',
          ],
          rows: [['', ...[total, Math.round(spooled / spoolSeconds), rate, mib(peak)].map(String)]],
        },
      ],
    };
  } finally {
    await site.stop();
  }
}

/** Bytes in memory of a process, all threads. */
function residentOf(pid: number): number {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kb) * 1024;
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
