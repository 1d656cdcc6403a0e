import { STATUS_CODES } from 'node:http';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { SluiceError } from '../../runtime/index.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { isLoopback, isLoopbackHeader } from './loopback.js';
import { PROBLEM_TYPE, problemJson } from './problem-json.js';

export interface AdminOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly ready: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly log: Log;
}

export interface Admin {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * /livez, /readyz and /metrics, without a token and therefore on loopback only.
 * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { host, port, log } = options;
  if (!isLoopback(host)) {
    throw new SluiceError(
      'SLUICE_LISTEN_FAILED',
      `admin: ${host} is no loopback address; this version has no access token yet, so it listens on 127.0.0.1 or ::1 only`,
    );
  }
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: 10_000,
    bodyLimit: 65536,
  });
  addErrors(server, log);
  addRoutes(server, options);
  try {
    // One address, not all that "localhost" stands for: with port 0 each would get a port of its own.
    await server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (thrown) {
    await server.close();
    throw listenError(thrown, host, port);
  }
  const address = server.addresses()[0];
  const bound = typeof address === 'object' ? address.port : port;
  return { port: bound, stop: () => server.close() };
}

function addRoutes(server: FastifyInstance, { metrics, ready }: AdminOptions): void {
  server.get('/livez', () => ({ live: true }));
  server.get('/readyz', (_request, reply) => {
    const state = ready();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
  server.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
}

function addErrors(server: FastifyInstance, log: Log): void {
  server.addHook('onRequest', async (request, reply) => {
    if (isLoopbackHeader(request.headers.host)) return;
    // 421: this server answers for no such name. Source: RFC 9110, 15.5.20.
    await refuse(reply, 421, 'the Host header names another machine');
  });
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, `there is no ${request.method} ${request.url}`),
  );
  server.setErrorHandler((thrown: Error & { statusCode?: number }, request, reply) => {
    const status = thrown.statusCode ?? 500;
    if (status < 500) return refuse(reply, status, thrown.message);
    log.error(
      { code: 'SLUICE_INTERNAL', url: request.url, error: thrown.message },
      'an admin request failed',
    );
    return reply
      .code(status)
      .type(PROBLEM_TYPE)
      .send(problemJson(status, STATUS_CODES[status] ?? 'Error', thrown.message, 'SLUICE_INTERNAL'));
  });
}

function refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(problemJson(status, STATUS_CODES[status] ?? 'Error', detail));
}

function listenError(thrown: unknown, host: string, port: number): SluiceError {
  const code = (thrown as { code?: unknown }).code;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(
    code === 'EADDRINUSE' ? 'SLUICE_LISTEN_IN_USE' : 'SLUICE_LISTEN_FAILED',
    `admin: cannot listen on ${host}:${port}: ${why}`,
    { cause: thrown },
  );
}
