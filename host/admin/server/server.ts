import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import { type Fault, type Policy, SluiceError } from '../../../runtime/index.js';
import { ServerCertificate, type ServerTlsConfig } from '../../sources/serve/server-certificate.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import { refuseBroken } from './broken-request.js';
import { Guard } from './guard.js';
import { HeaderPolice } from './header-police.js';
import { openApi } from './openapi.js';
import type { Readiness } from './readiness.js';
import { fromFastify, refuse, statusOf } from './refusal.js';
import { addResource, BODY_TYPES, type Resource } from './resource.js';
import type { Token } from './token.js';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly token: Token;
  /** Absent: plain HTTP. */
  readonly tls?: ServerTlsConfig | undefined;
  /** How often the files of the certificate are looked at. 1000. */
  readonly lookMs?: number;
  readonly metrics: Metrics;
  readonly ready: () => Readiness;
  readonly report: Reporter;
  readonly policy: { readonly current: Policy };
  readonly version: string;
  /** A request for a source that has no address of its own; false: there is no such source. */
  readonly ingest?:
    | ((source: string, request: IncomingMessage, response: ServerResponse) => boolean)
    | undefined;
  /** What needs the token. */
  readonly resources: readonly Resource[];
}

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** For a whole request: an upload of 32 MiB over 3 Mbit/s. */
const REQUEST_MS = 120_000;
const HEADERS_MS = 10_000;
const MOST_CONNECTIONS = 128;
const LOOK_MS = 1_000;

/**
 * Listens for probes (without a token) and for /v1.
 * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED, SLUICE_TLS_CERTIFICATE
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { host, port, report } = options;
  const certificate = options.tls === undefined ? undefined : new ServerCertificate(options.tls, 'admin.tls');
  const guard = new Guard(host, options.token, certificate === undefined ? 'http' : 'https');
  const timeouts = { headersTimeout: HEADERS_MS };
  const server = fastify({
    ...(certificate === undefined
      ? { http: timeouts }
      : { https: { ...certificate.load(), ...timeouts, handshakeTimeout: HEADERS_MS } }),
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
    routerOptions: { maxParamLength: 128 },
    clientErrorHandler: (error, socket) => refuseBroken(error, socket),
    frameworkErrors: (thrown, request, reply) => void refuse(reply, fromFastify(thrown, request)),
  } as FastifyServerOptions);
  limitConnections(server, options);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(BODY_TYPES, (_request, _body, done) => done(null));
  addAnswers(server, guard, report);
  const police = new HeaderPolice(options);
  const resources = [...probeResources(options), ...options.resources];
  resources.push(describing(options.version, resources));
  for (const resource of resources) addResource(server, resource, police);
  addIngest(server, options.ingest);
  try {
    // One address, not all that "localhost" stands for: with port 0 each would get a port of its own.
    await server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (thrown) {
    await server.close();
    throw listenError(thrown, host, port);
  }
  watch(certificate, server, options);
  const address = server.addresses()[0];
  const bound = typeof address === 'object' ? address.port : port;
  const stop = async (): Promise<void> => {
    certificate?.stop();
    await server.close();
  };
  return { port: bound, stop };
}

/** Node.js closes what is beyond it before anything of it is read. */
function limitConnections({ server }: FastifyInstance, { metrics, report }: ServerOptions): void {
  server.maxConnections = MOST_CONNECTIONS;
  server.on('drop', from => {
    const peer = from?.remoteAddress?.replace(/^::ffff:/, '') ?? 'a client';
    const message = `admin: ${peer} was turned away: all ${MOST_CONNECTIONS} connections are in use`;
    metrics.adminConnectionRefused();
    report.fault({ code: 'SLUICE_ADMIN_CONNECTIONS', message }, { peer });
  });
}

/** Open connections keep what they were made with; new ones get what is in the files. */
function watch(
  certificate: ServerCertificate | undefined,
  { server }: FastifyInstance,
  { report, lookMs = LOOK_MS }: ServerOptions,
): void {
  const events = {
    renewed: () => report.info('the admin server has a new certificate'),
    failed: (fault: Fault) => report.fault(fault, {}),
  };
  certificate?.watch(server as unknown as TlsServer, events, lookMs);
}

function probeResources({ metrics, ready }: ServerOptions): Resource[] {
  const json = { 200: 'application/json' };
  return [
    {
      path: '/livez',
      operations: {
        GET: { summary: 'The process serves.', answers: json, open: true, run: () => ({ live: true }) },
      },
    },
    {
      path: '/readyz',
      operations: {
        GET: {
          summary:
            'Frames of every route can be delivered, or wait safely on the disk. `degraded` lists what is not as configured.',
          answers: { ...json, 503: 'application/json' },
          open: true,
          run: (_request, reply) => {
            const state = ready();
            return reply.code(state.ready ? 200 : 503).send(state);
          },
        },
      },
    },
    {
      path: '/metrics',
      operations: {
        GET: {
          summary: 'Metrics for Prometheus.',
          answers: { 200: 'text/plain' },
          open: true,
          run: async (_request, reply) => {
            const text = await metrics.render();
            return reply.type(metrics.contentType).send(text);
          },
        },
      },
    },
  ];
}

/** The document of these, and of itself. */
function describing(version: string, resources: readonly Resource[]): Resource {
  const summary = 'This document.';
  const run = (): object => document;
  const answers = { 200: 'application/json' };
  const itself: Resource = {
    path: '/openapi.json',
    operations: { GET: { summary, answers, open: true, run } },
  };
  const document = openApi(version, [...resources, itself]);
  return itself;
}

/** The source answers by itself, body and all; it has a token of its own. */
function addIngest(server: FastifyInstance, ingest: ServerOptions['ingest']): void {
  server.all('/ingest/*', {
    onRequest: async (request, reply) => {
      const [, , source = ''] = request.url.split(/[/?]/);
      if (ingest?.(source, request.raw, reply.raw) !== true)
        throw new SluiceError('SLUICE_ADMIN_PATH', `there is no ${request.url}`);
      reply.hijack();
    },
    handler: () => undefined,
  });
}

function addAnswers(server: FastifyInstance, guard: Guard, report: Reporter): void {
  server.addHook('onRequest', async (request, reply) => guard.check(request, reply));
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, new SluiceError('SLUICE_ADMIN_PATH', `there is no ${request.url}`)),
  );
  server.setErrorHandler((thrown: Error, request, reply) => {
    const error = fromFastify(thrown, request);
    const status = statusOf(error.code);
    // Who knocks at the door without a key is worth a line; what goes wrong inside is too.
    if (status === 401 || status === 403 || status === 421 || status >= 500)
      report.fault(error.toFault(), { peer: request.ip }, status >= 500 ? 'error' : 'warn');
    return refuse(reply, error);
  });
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
