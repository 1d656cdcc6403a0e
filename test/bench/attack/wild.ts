import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendManifest, readManifest } from '../../../runtime/index.js';
import { guestFile } from '../../support/gateway/gateway-rig.js';
import { type Attack, DEADLINE_MS, START_MS } from './guests.js';

/** Between two candidates. */
export const DROP_MS = 400;

/** One gateway with a healthy route, and one for the plugin `wild`. */
export function configuration(
  port: number,
  { deadlineMs = DEADLINE_MS, memory = '16MiB' }: Attack,
): Record<string, unknown> {
  const url = `mqtt://127.0.0.1:${port}`;
  const source = (clientId: string, topic: string) => ({
    mqtt: { url, clientId, topics: [topic], version: 4, qos: 0 },
  });
  return {
    plugins: {
      dir: './plugins',
      deadline: `${deadlineMs}ms`,
      memory,
      startDeadline: `${Math.max(START_MS, deadlineMs)}ms`,
    },
    sources: { floor: source('floor', 'in/good/#'), wild: source('wild', 'in/bad/#') },
    sinks: { plant: { mqtt: { url, prefix: 'out/', version: 4, qos: 0 } } },
    routes: [
      { from: 'floor', through: ['echo'], to: 'plant' },
      {
        from: 'wild',
        through: [{ plugin: 'wild', ...(deadlineMs > DEADLINE_MS ? {} : { config: { ms: 20 } }) }],
        to: 'plant',
      },
    ],
  };
}

/** A guest under the name that the route asks for. */
export async function drop(plugins: string, { guest, limits }: Attack, patch: number): Promise<void> {
  const bytes = await readFile(guestFile(guest));
  const found = readManifest(bytes);
  if (found === undefined) throw new Error(`${guest} carries no manifest`);
  const { sha256: _, ...manifest } = found.manifest;
  const code = bytes.subarray(0, found.end);
  const fields = {
    ...manifest,
    name: 'wild',
    version: `1.0.${patch}`,
    limits: { ...manifest.limits, ...limits },
  };
  const file = appendManifest(code, fields, createHash('sha256').update(code).digest('hex'));
  await writeFile(join(plugins, '.next'), file);
  await rename(join(plugins, '.next'), join(plugins, 'wild.wasm'));
}

/** One version after the other, from `patch` on. @returns the next one's number */
export async function dropAll(
  plugins: string,
  each: Attack,
  patch: number,
  signal: AbortSignal,
): Promise<number> {
  let next = patch;
  for (; !signal.aborted; next++) {
    await drop(plugins, each, next);
    await sleep(DROP_MS);
  }
  return next;
}
