import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';
import type { Kind } from './clients.js';
import { type Round, Site } from './site.js';

const ROUNDS = 5;
/**
 * For warm code: an exchange goes through so much of Node.js that its compiler is busy over the first tens of thousands, and on
 * a busy machine three rounds are no more than that.
 */
const WARM_ROUNDS = 6;
const MS = 2000;
const SHORT_MS = 400;
const IDLE = 10_000;
const SHORT_IDLE = 200;
const KINDS: readonly Kind[] = ['gateway', 'publishing', 'tunnel', 'bare'];
/** Of which memory is looked at. */
const HELD = ['gateway', 'tunnel', 'bare'] as const;
const NAMES: Readonly<Record<Kind, string>> = {
  gateway: 'gateway (tunnel, plugin, mosquitto)',
  tunnel: 'its tunnel source alone',
  bare: 'bare node:net',
  publishing: 'bare node:net that converts and publishes',
};

/**
 * Short connections (connect, one frame, its acknowledgement, close) to a gateway's tunnel, and to its source alone,
 * against a server on node:net that answers at once, and one that converts and publishes before it does; and what each
 * of many idle connections adds to the process. Judged are both, the gateway and its source alone, against the server that
 * does less than either.
 */
export async function connections(short: boolean): Promise<BenchResult> {
  const [warm, count, ms, idle] = short ? [1, 1, SHORT_MS, SHORT_IDLE] : [WARM_ROUNDS, ROUNDS, MS, IDLE];
  const site = await Site.start();
  try {
    // Memory first: short connections leave a heap behind that idle ones would fit into.
    const bytes = { gateway: 0, tunnel: 0, bare: 0 };
    for (const kind of HELD) {
      progress(`${kind}: ${idle} idle connections`);
      bytes[kind] = await site.idle(kind, idle);
    }
    const rounds: Record<Kind, Round[]> = { gateway: [], publishing: [], tunnel: [], bare: [] };
    for (let round = 1 - warm; round <= count; round++) {
      progress(round <= 0 ? 'warming up' : `round ${round} of ${count}`);
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const figures = await site.exchange(kind, ms);
        if (round > 0) rounds[kind].push(figures);
      }
    }
    return result(rounds, bytes, { idle, rounds: count });
  } finally {
    await site.stop();
  }
}

function result(
  rounds: Readonly<Record<Kind, readonly Round[]>>,
  bytes: Readonly<Record<(typeof HELD)[number], number>>,
  plan: { readonly idle: number; readonly rounds: number },
): BenchResult {
  const of = (kind: Kind, field: keyof Round): number =>
    rounded(median(rounds[kind].map(each => each[field])));
  const each = (figure: (kind: Kind) => number): Record<string, number> =>
    Object.fromEntries(KINDS.map(kind => [kind, figure(kind)]));
  const ratio = (kind: Kind, field: keyof Round, other: Kind = 'bare'): number =>
    rounded(of(kind, field) / of(other, field));
  const held = (kind: Kind): string =>
    kind === 'publishing' ? '' : `${(bytes[kind] / 1024).toFixed(1)} KiB`;
  return {
    ratios: {
      'connections/s tunnel/bare': ratio('tunnel', 'rate'),
      'connections/s gateway/publishing (price of the sandbox)': ratio('gateway', 'rate', 'publishing'),
      'connections/s gateway/bare': ratio('gateway', 'rate'),
      'cpu a connection tunnel/bare': ratio('tunnel', 'cpu'),
      'cpu a connection gateway/publishing': ratio('gateway', 'cpu', 'publishing'),
      'cpu a connection gateway/bare': ratio('gateway', 'cpu'),
    },
    targets: {
      'connections/s gateway/bare': { atLeast: 0.8 },
      'connections/s tunnel/bare': { atLeast: 0.8 },
    },
    figures: {
      connectionsPerSecond: each(kind => of(kind, 'rate')),
      cpuMicrosecondsPerConnection: each(kind => of(kind, 'cpu')),
      bytesPerIdleConnection: Object.fromEntries(HELD.map(kind => [kind, Math.round(bytes[kind])])),
      plan,
    },
    tables: [
      {
        head: [
          'connect, one frame, its answer, close',
          'connections/s',
          'cpu a connection',
          `each of ${plan.idle} idle`,
        ],
        rows: KINDS.map(kind => [
          NAMES[kind],
          of(kind, 'rate').toFixed(0),
          `${of(kind, 'cpu')} us`,
          held(kind),
        ]),
      },
    ],
  };
}
