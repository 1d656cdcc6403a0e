import type { Dice } from './dice.js';
import type { SourceName } from './senders.js';

export interface RouteSetup {
  readonly name: string;
  readonly from: readonly SourceName[];
  readonly plugin: string;
  readonly whenOpen: 'fallback' | 'spool' | 'refuse';
  readonly catchUp: 'ordered' | 'fresh-first';
  readonly whenFull: 'keep-all' | 'keep-newest' | 'down-sample';
}

/** What a game is played with. */
export interface Setup {
  readonly routes: readonly RouteSetup[];
  readonly sources: readonly SourceName[];
  readonly max: string;
  readonly faults: number;
  readonly pauseMs: number;
  readonly probation: number;
  /** In a process of its own: it can be killed. */
  readonly isApart: boolean;
  /** On a disk of its own, which others can fill. */
  readonly isSmall: boolean;
  readonly pad: number;
}

/** One move: what, and numbers that say how. */
export interface Move {
  readonly what: (typeof MOVES)[number];
  readonly a: number;
  readonly b: number;
  /** Before the next, ms. */
  readonly rest: number;
}

const OFTEN = ['send', 'send', 'send', 'send', 'poison', 'poison', 'good', 'bad', 'away', 'back'] as const;
const SELDOM = [
  'silent',
  'speak',
  'cut',
  'cutSource',
  'remove',
  'disable',
  'enable',
  'reset',
  'rollback',
  'replay',
  'fill',
  'clear',
  'restart',
  'kill',
] as const;
const MOVES = [...OFTEN, ...SELDOM] as const;

export function drawSetup(dice: Dice, mayApart: boolean, maySmall: boolean): Setup {
  const sources = dice.one<readonly SourceName[]>([
    ['floor'],
    ['plc'],
    ['hooks'],
    ['floor', 'plc'],
    ['floor', 'hooks'],
    ['floor', 'plc', 'hooks'],
  ]);
  const route = (name: string, from: readonly SourceName[]): RouteSetup => ({
    name,
    from,
    plugin: `p${name}`,
    whenOpen: dice.one(['fallback', 'spool', 'spool', 'refuse']),
    catchUp: dice.one(['ordered', 'ordered', 'fresh-first']),
    whenFull: dice.one(['keep-all', 'keep-all', 'keep-all', 'keep-newest', 'down-sample']),
  });
  const routes = [route('a', sources)];
  if (dice.once(2)) routes.push(route('b', [sources[0] as SourceName]));
  return {
    routes,
    sources,
    max: dice.one(['1MiB', '1MiB', '4MiB', '64MiB']),
    faults: dice.one([1, 1, 2, 5]),
    pauseMs: dice.one([30, 100, 400]),
    probation: dice.one([0, 0, 50]),
    isApart: mayApart && dice.once(3),
    isSmall: maySmall && dice.once(3),
    pad: dice.one([0, 0, 300, 5000]),
  };
}

export function drawMoves(dice: Dice, count: number): Move[] {
  return Array.from({ length: count }, () => ({
    what: dice.once(2) ? dice.one(OFTEN) : dice.one(MOVES),
    a: dice.roll(1000),
    b: dice.roll(1000),
    rest: dice.one([0, 0, 0, 1, 5, 20, 60]),
  }));
}
