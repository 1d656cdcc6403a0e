import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SluiceError } from '../../../runtime/index.js';
import { isLoopback, isLoopbackHeader, nameInHeader } from './loopback.js';
import type { Token } from './token.js';

/**
 * Whom a request may come from, looked at before anything else of it: the Host header (a page whose own name
 * resolves to this machine), the Origin header (a page of another server), then the token.
 */
export class Guard {
  readonly #host: string;
  readonly #open: boolean;
  readonly #token: Token;
  readonly #scheme: string;

  /** @param host the address that is listened on */
  constructor(host: string, token: Token, scheme: 'http' | 'https') {
    this.#scheme = scheme;
    this.#host = host.toLowerCase();
    this.#open = !isLoopback(host);
    this.#token = token;
  }

  /** @throws SluiceError SLUICE_ADMIN_HOST, SLUICE_ADMIN_ORIGIN, SLUICE_ADMIN_TOKEN */
  check(request: FastifyRequest, reply: FastifyReply): void {
    const { host, origin, authorization } = request.headers;
    if (!this.#isUs(host)) {
      throw new SluiceError('SLUICE_ADMIN_HOST', 'the Host header names another machine');
    }
    if (origin !== undefined && origin.toLowerCase() !== `${this.#scheme}://${host?.toLowerCase()}`) {
      throw new SluiceError('SLUICE_ADMIN_ORIGIN', 'the Origin header names another server than this one');
    }
    if (!needsToken(request.url) || this.#token.accepts(authorization)) return;
    // Source: RFC 9110, 11.6.1: a 401 names the scheme.
    reply.header('www-authenticate', 'Bearer realm="sluice"');
    throw new SluiceError(
      'SLUICE_ADMIN_TOKEN',
      authorization === undefined ? 'the request carries no token' : 'the token is not the right one',
    );
  }

  /**
   * Names are told by others (DNS), addresses are not: on an open address any address will do, and of names only
   * those of this machine.
   */
  #isUs(header: string | undefined): boolean {
    if (isLoopbackHeader(header)) return true;
    const name = nameInHeader(header);
    if (!this.#open || name === undefined) return false;
    return isIP(name) !== 0 || name === this.#host || name === hostname().toLowerCase();
  }
}

/** All but what a probe asks for; what is under no known path too, so that paths cannot be guessed at. */
function needsToken(url: string): boolean {
  const path = url.split('?', 1)[0] as string;
  // A source asks for its own.
  if (path.startsWith('/ingest/')) return false;
  return path !== '/livez' && path !== '/readyz' && path !== '/metrics' && path !== '/openapi.json';
}
