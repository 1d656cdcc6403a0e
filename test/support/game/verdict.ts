import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Plant } from './plant.js';
import { frameOf, type Sender } from './senders.js';
import type { Setup } from './setup.js';

/** What is known of a game besides what came: who may have dropped what, and what may have come again. */
export interface Known {
  /** By route: counters of frames and messages that a policy has dropped, of the spools and of the parked frames. */
  readonly dropped: ReadonlyMap<string, number>;
  /** Frames that were dropped from the quarantine. */
  readonly droppedPoison: number;
  /** The quarantine had no room for frames that nobody ran: they go through when somebody does, in no order. */
  readonly hasWaited: boolean;
  /** Counters were lost with a process. */
  readonly wasKilled: boolean;
}

/** Frames in quarantine, by route: `source:frame`. */
export function quarantined(folder: string): Map<string, Set<string>> {
  const file = join(folder, 'quarantine.db');
  const all = new Map<string, Set<string>>();
  if (!existsSync(file)) return all;
  using database = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  for (const row of database.prepare('SELECT route, payload FROM frames').all()) {
    const { source, frame } = frameOf(row.payload as Uint8Array);
    const route = all.get(String(row.route)) ?? new Set();
    all.set(String(row.route), route.add(`${source}:${frame}`));
  }
  return all;
}

/** What is wrong with how a game has ended; empty: nothing. */
export function judge(
  { routes }: Setup,
  senders: readonly Sender[],
  plant: Plant,
  kept: ReadonlyMap<string, ReadonlySet<string>>,
  known: Known,
): string[] {
  const { dropped, droppedPoison, wasKilled } = known;
  const wrong: string[] = [];
  let gone = 0;
  const which: string[] = [];
  for (const { name: route, from, catchUp, whenFull } of routes) {
    const arrivals = plant.routes.get(route);
    const missing: string[] = [];
    for (const sender of senders.filter(({ name }) => from.includes(name))) {
      const ids = arrivals?.ids.get(sender.name);
      for (const frame of sender.acknowledged) {
        const key = `${sender.name}:${frame}`;
        if (!ids?.has(frame) && kept.get(route)?.has(key) !== true) missing.push(key);
      }
      for (const [frame, all] of ids ?? []) {
        const key = `${sender.name}:${frame}`;
        const own = all.filter(id => !id.includes('~replay'));
        if (new Set(own).size > 1 && !sender.again.has(frame))
          wrong.push(`${route}: ${key} came under several ids: ${own.join(' ')}`);
        if (own.length > 1 && plant.breaks === 0 && !wasKilled && !sender.again.has(frame))
          wrong.push(`${route}: ${key} came ${own.length} times: ${own.join(' ')}`);
      }
      if (catchUp === 'ordered' && !known.hasWaited) {
        let last = 0;
        for (const frame of arrivals?.order.get(sender.name) ?? []) {
          if (arrivals?.replayed.has(`${sender.name}:${frame}`)) continue;
          // Where the first of it was given up for room, the one that was sent again comes in its place.
          if (whenFull !== 'keep-all' && sender.again.has(frame)) continue;
          if (frame < last) {
            const which = ids?.get(frame)?.join(' ');
            wrong.push(`${route}: ${sender.name}:${frame} came behind ${last} as ${which}`);
            break;
          }
          last = frame;
        }
      }
    }
    const may = dropped.get(route) ?? 0;
    const over = missing.length - may;
    if (over > 0) {
      gone += over;
      which.push(
        `${route}: ${missing.length}, of which ${may} were dropped by policy: ${missing.slice(-20).join(' ')}`,
      );
    }
    if (over > droppedPoison && !(wasKilled && may > 0))
      wrong.push(
        `${route}: ${missing.length} are lost, of which ${may} were dropped by policy: ${missing.slice(0, 20).join(' ')}`,
      );
  }
  if (gone > droppedPoison && !wasKilled)
    wrong.push(`${gone} are gone, ${droppedPoison} were dropped from the quarantine: ${which.join('; ')}`);
  return wrong;
}
