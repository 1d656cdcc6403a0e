import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { isLoopback } from '../admin/server/loopback.js';

const ANY = new Set(['0.0.0.0', '::']);

/** Whether an address leads to a port of this machine, by whichever of its names and addresses. */
export async function leadsHere(url: string, port: number): Promise<boolean> {
  const { protocol, hostname, port: given } = new URL(url);
  const asked = given === '' ? (protocol === 'mqtts:' ? 8883 : 1883) : Number(given);
  return asked === port && isThisMachine(hostname.replace(/^\[(.*)\]$/, '$1'));
}

async function isThisMachine(host: string): Promise<boolean> {
  if (isLoopback(host) || ANY.has(host)) return true;
  const own = new Set(
    Object.values(networkInterfaces()).flatMap(all => all?.map(({ address }) => address) ?? []),
  );
  try {
    const found = await lookup(host, { all: true });
    return found.some(({ address }) => isLoopback(address) || own.has(address));
  } catch {
    // A name that nobody knows leads nowhere.
    return false;
  }
}
