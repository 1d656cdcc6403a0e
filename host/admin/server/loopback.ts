import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for localhost, 127.0.0.0/8 and ::1 (also in brackets). */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost') return true;
  const version = isIP(bare);
  return version !== 0 && loopback.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

/** The name or address in a Host header, in lower case and without brackets and port. */
export function nameInHeader(header: string | undefined): string | undefined {
  const host = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::\d{1,5})?$/.exec(header ?? '')?.[1];
  return host?.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

/**
 * True if a Host header names this machine. A web page that has its own name resolved to 127.0.0.1 (DNS
 * rebinding) still sends its own name, and is told apart by it.
 */
export function isLoopbackHeader(header: string | undefined): boolean {
  const host = nameInHeader(header);
  return host !== undefined && isLoopback(host);
}
