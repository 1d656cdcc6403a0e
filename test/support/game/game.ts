import { readdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { cannotMount, fillDisk, mountSmallDisk } from '../gateway/small-disk.js';
import { freePort } from '../mqtt/mqtt-rig.js';
import { Dice } from './dice.js';
import { House } from './house.js';
import { Plant } from './plant.js';
import { FloorSender, HooksSender, PlcSender, type Sender } from './senders.js';
import { drawMoves, drawSetup, type Move, type Setup } from './setup.js';
import { judge, quarantined } from './verdict.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';
const BAD = ['trap', 'trap', 'trap', 'spin', 'flaky', 'slow', 'bad-pointer', 'missing-export'];
const PATIENCE_MS = 8_000;

export interface Outcome {
  readonly seed: number;
  readonly setup: Setup;
  readonly moves: readonly Move[];
  /** What is wrong; empty: nothing. */
  readonly wrong: readonly string[];
  readonly frames: number;
  readonly house: House;
}

/** Plays the game of this seed. @param moves in the stead of its own */
export async function play(
  seed: number,
  {
    count = 40,
    moves,
    apart = true,
    setup: given = {},
  }: { count?: number; moves?: readonly Move[]; apart?: boolean; setup?: Partial<Setup> } = {},
): Promise<Outcome> {
  const dice = new Dice(seed);
  const setup = { ...drawSetup(dice, apart, cannotMount() === false), ...given };
  const drawn = drawMoves(dice, count);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-game-'));
  const disk = setup.isSmall ? mountSmallDisk('24m') : undefined;
  const table = await Table.set(setup, folder, disk?.dir);
  try {
    for (const move of moves ?? drawn) await table.move(move);
    const wrong = await table.end();
    return { seed, setup, moves: moves ?? drawn, wrong, frames: table.frames, house: table.house };
  } finally {
    await table.clear();
    disk?.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** All that is on the table of one game. */
class Table {
  readonly house: House;
  readonly #setup: Setup;
  readonly #plant: Plant;
  readonly #senders: Sender[];
  readonly #data: string;
  readonly #dropped = new Map<string, number>();
  #droppedPoison = 0;
  #wasKilled = false;

  private constructor(setup: Setup, house: House, plant: Plant, senders: Sender[], data: string) {
    this.#setup = setup;
    this.house = house;
    this.#plant = plant;
    this.#senders = senders;
    this.#data = data;
  }

  static async set(setup: Setup, folder: string, disk: string | undefined): Promise<Table> {
    const data = disk ?? join(folder, 'data');
    const [admin, tunnel, north] = await Promise.all([freePort(), freePort(), freePort()]);
    const plant = new Plant(
      north,
      setup.routes.map(({ name }) => name),
    );
    const floor = await FloorSender.start();
    const reconnect = { min: '20ms', max: '50ms' };
    const of = {
      floor: {
        mqtt: {
          url: `mqtt://127.0.0.1:${floor.port}`,
          version: 4,
          qos: 1,
          topics: ['in/#'],
          clientId: 'floor',
          reconnect,
        },
      },
      plc: { tunnel: { port: tunnel } },
      hooks: { http: { token: TOKEN, timeout: '3s' } },
    };
    const config = {
      plugins: {
        dir: './plugins',
        deadline: '50ms',
        downgrade: true,
        breaker: {
          faults: setup.faults,
          pause: { min: `${setup.pauseMs}ms`, max: `${2 * setup.pauseMs}ms` },
        },
        probation: { frames: setup.probation, for: setup.probation === 0 ? '0s' : '1s' },
      },
      sources: Object.fromEntries(setup.sources.map(name => [name, of[name]])),
      sinks: Object.fromEntries(
        setup.routes.map(({ name }) => [
          `sink-${name}`,
          { mqtt: { url: `mqtt://127.0.0.1:${north}`, version: 5, prefix: `${name}/`, reconnect } },
        ]),
      ),
      routes: setup.routes.map(({ name, from, plugin, ...policy }) => ({
        name,
        from,
        through: [{ plugin, config: { ms: 3 } }],
        to: [`sink-${name}`],
        ...policy,
      })),
      data: { dir: data, max: setup.max },
      admin: { port: admin, token: TOKEN },
    };
    await mkdir(data, { recursive: true });
    const house = new House(folder, config, admin, TOKEN, setup.isApart);
    for (const { plugin } of setup.routes) await house.place(plugin, 'echo');
    await plant.start();
    await house.start();
    const senders = setup.sources.map(name =>
      name === 'floor' ? floor : name === 'plc' ? new PlcSender(tunnel) : new HooksSender(admin, TOKEN),
    );
    if (!senders.includes(floor)) senders.push(floor);
    return new Table(setup, house, plant, senders, data);
  }

  get frames(): number {
    return this.#senders.reduce((sum, { sent }) => sum + sent, 0);
  }

  async move({ what, a, b, rest }: Move): Promise<void> {
    const { house } = this;
    const { routes, sources, pad } = this.#setup;
    const sender = this.#senders[a % sources.length] as Sender;
    const { plugin } = routes[a % routes.length] as (typeof routes)[number];
    if (what === 'send') sender.send(pad > 1000 ? b % 60 : b % 2 === 0 ? b % 50 : b, () => false, pad);
    else if (what === 'poison') sender.send(1 + (b % 10), index => index === b % 3, pad);
    else if (what === 'good') await house.place(plugin, 'echo');
    else if (what === 'bad') await house.place(plugin, BAD[b % BAD.length] as string);
    else if (what === 'away') await this.#plant.stop();
    else if (what === 'back') await this.#plant.start();
    else if (what === 'silent') this.#plant.silent();
    else if (what === 'speak') this.#plant.speak(b % 2 === 0);
    else if (what === 'cut') this.#plant.cut();
    else if (what === 'cutSource') {
      if (sender instanceof FloorSender || sender instanceof PlcSender) sender.cut();
    } else if (what === 'remove') await house.remove(plugin);
    else if (what === 'disable' || what === 'enable' || what === 'reset' || what === 'rollback')
      await house.ask('POST', `/v1/plugins/${plugin}/${what}`);
    else if (what === 'replay') void house.ask('POST', `/v1/quarantine/replay?plugin=${plugin}`);
    else if (what === 'fill') {
      if (this.#setup.isSmall) fillDisk(this.#data);
    } else if (what === 'clear') this.#makeRoom();
    else if (what === 'restart') await this.#again(() => house.stop());
    else if (what === 'kill') {
      if (this.#setup.isApart) this.#wasKilled = true;
      await this.#again(() => house.kill());
    }
    if (rest > 0) await after(rest);
  }

  /** Everything is well again, and all that is under way gets where it belongs. */
  async end(): Promise<string[]> {
    await this.#heal();
    const left = await this.#quiet();
    if (left !== undefined) return [left];
    const early = this.#arrivals();
    await this.house.stop();
    const before = this.#arrivals();
    await this.#note();
    const kept = quarantined(this.#data);
    const dropped = this.#dropped;
    const droppedPoison = this.#droppedPoison;
    const hasWaited = this.house.lines.some(line => line.includes('waits for room there'));
    const known = { dropped, droppedPoison, hasWaited, wasKilled: this.#wasKilled };
    const wrong = judge(this.#setup, this.#senders, this.#plant, kept, known);
    await this.house.start();
    await after(300);
    const behind = newOnes(before, this.#arrivals());
    if (behind.length > 0)
      wrong.push(
        `${behind.length} messages came once more behind a stop when all was quiet: ${behind.slice(0, 20).join(' ')}`,
      );
    // A replay may be under way, which nobody waits for here.
    const late = newOnes(early, before).filter(each => !each.includes('~replay'));
    if (late.length > 0)
      wrong.push(
        `${late.length} messages came with a stop when all was quiet: ${late.slice(0, 20).join(' ')}`,
      );
    return wrong;
  }

  async clear(): Promise<void> {
    await this.house.kill();
    await Promise.all(this.#senders.map(sender => sender.close()));
    await this.#plant.stop();
  }

  async #again(end: () => Promise<void>): Promise<void> {
    await end();
    await this.#note();
    this.#makeRoom();
    await this.house.start();
  }

  #makeRoom(): void {
    if (!this.#setup.isSmall) return;
    for (const name of readdirSync(this.#data))
      if (name.startsWith('ballast')) rmSync(join(this.#data, name));
  }

  /** What was dropped in the life of this gateway. */
  async #note(): Promise<void> {
    for (const { name } of this.#setup.routes) {
      const more =
        (await this.house.sum('sluice_spool_dropped_total', { sink: `sink-${name}` })) +
        (await this.house.sum('sluice_parked_dropped_total', { route: name }));
      this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + more);
    }
    this.#droppedPoison += await this.house.sum('sluice_quarantine_dropped_total');
  }

  async #heal(): Promise<void> {
    this.#makeRoom();
    await this.#plant.start();
    this.#plant.speak(true);
    for (const { plugin } of this.#setup.routes) {
      await this.house.ask('POST', `/v1/plugins/${plugin}/enable`);
      await this.house.place(plugin, 'echo');
    }
  }

  /** @returns what is still under way when nobody waits for it any longer */
  async #quiet(): Promise<string | undefined> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const open = this.#senders.filter(sender => !sender.isThrough);
      const parked = await this.#lie('/v1/routes', /"parked":\{"records":(\d+)/g);
      const spooled = await this.#lie('/v1/sinks', /"spool":\{"records":(\d+)/g);
      // What a policy has given up on the disk can still be in the window of a sink.
      const held = await this.#lie('/v1/sinks', /"inFlight":(\d+)/g);
      if (open.length === 0 && parked === 0 && spooled === 0 && held === 0) return undefined;
      if (performance.now() > end) {
        const { body } = await this.house.ask('GET', '/v1/routes');
        const of = open.map(
          ({ name, sent, acknowledged, refused }) =>
            `${name} ${acknowledged.size}+${refused.size} of ${sent}`,
        );
        return `stuck: acknowledged ${of.join(', ')}; ${parked} parked, ${spooled} in the spool, ${held} in windows; ${body}`;
      }
      await after(20);
    }
  }

  /** Records that lie on the disk, as the API says now. */
  async #lie(path: string, records: RegExp): Promise<number> {
    const { status, body } = await this.house.ask('GET', path);
    if (status !== 200) return -1;
    return [...body.matchAll(records)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** What has come so far: `route/source:frame (id)`, once for each time. */
  #arrivals(): string[] {
    const all: string[] = [];
    for (const [route, { ids }] of this.#plant.routes)
      for (const [source, frames] of ids)
        for (const [frame, came] of frames)
          for (const [index, id] of came.entries())
            all.push(`${route}/${source}:${frame} (${id}, ${index + 1})`);
    return all;
  }
}

function newOnes(before: readonly string[], now: readonly string[]): string[] {
  const known = new Set(before);
  return now.filter(each => !known.has(each));
}
