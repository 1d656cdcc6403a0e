import { BlockList, isIP } from 'node:net';

/** Source: RFC 1918; RFC 4193 (fc00::/7); RFC 3927 and RFC 4291 (link-local). */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4');
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4');
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4');
PRIVATE.addSubnet('169.254.0.0', 16, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** True for an address of a private network; names are none. */
export function isPrivate(host: string): boolean {
  const version = isIP(host);
  return version !== 0 && PRIVATE.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
