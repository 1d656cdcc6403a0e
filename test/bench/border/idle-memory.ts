import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ends } from '../ends/ends.js';
import { progress } from '../report.js';
import { median } from '../stats.js';
import { MODULE } from './direct.js';

// This file is dist/test/bench/border/idle-memory.js.
const PROGRAM = new URL('../../../host/cli/sluice.js', import.meta.url);
const UNITS = 200;
const ROUTES = 5;
const RUNS = 3;
const IDLE_MS = 3000;
const PATIENCE_MS = 15_000;

/** Resident memory in MiB, medians. */
export interface IdleMemory {
  /** A gateway with one route that has served and then had nothing to do. */
  readonly gatewayMiB: number;
  /** Each sandbox more. */
  readonly sandboxMiB: number;
}

/** Undefined where the system has no /proc. */
export async function idleMemory(): Promise<IdleMemory | undefined> {
  if (process.platform !== 'linux') return undefined;
  const ends = await Ends.start();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    await mkdir(join(folder, 'plugins'));
    await copyFile(MODULE, join(folder, 'plugins', 'modbus-json.wasm'));
    const one: number[] = [];
    const further: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      progress(`memory of an idle gateway, run ${run + 1} of ${RUNS}`);
      const small = await idleGateway(folder, ends, 1);
      one.push(small);
      further.push(((await idleGateway(folder, ends, ROUTES)) - small) / (ROUTES - 1));
    }
    return { gatewayMiB: median(one), sandboxMiB: median(further) };
  } finally {
    await ends.stop();
    await rm(folder, { recursive: true });
  }
}

/** Starts a gateway, lets it serve UNITS frames on each route, and looks at it when nothing is left to do. */
async function idleGateway(folder: string, ends: Ends, routes: number): Promise<number> {
  const file = join(folder, `routes-${routes}.yaml`);
  await writeFile(file, configuration(folder, ends, routes));
  const child = spawn(process.execPath, [fileURLToPath(PROGRAM), 'start', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', chunk => {
    log += chunk;
  });
  try {
    await served(child, ends, UNITS * routes, () => log);
    await sleep(IDLE_MS);
    return await residentMiB(child);
  } finally {
    const exit = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await exit;
  }
}

async function served(child: ChildProcess, ends: Ends, messages: number, log: () => string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (let count = 0; count < messages; ) {
    if (child.exitCode !== null || performance.now() > end)
      throw new Error(`the gateway published ${count} of ${messages} messages\n${log()}`);
    await sleep(100);
    count += (await ends.published()).published;
  }
}

async function residentMiB(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** One poll of all units at the start, the next an hour later. */
function configuration(folder: string, { plcPort, brokerPort }: Ends, routes: number): string {
  const route = '  - { from: [line1], through: [modbus-json], to: [plant] }\n';
  return `plugins: { dir: ${JSON.stringify(join(folder, 'plugins'))} }
data: { dir: ${JSON.stringify(join(folder, 'data'))} }
sources:
  line1:
    modbus:
      devices: [{ host: 127.0.0.1, port: ${plcPort}, units: 1-${UNITS} }]
      poll: [{ holding: 0-11, every: 1h }]
sinks:
  plant: { mqtt: { url: "mqtt://127.0.0.1:${brokerPort}" } }
routes:
${route.repeat(routes)}admin: { host: 127.0.0.1, port: 0 }
`;
}
