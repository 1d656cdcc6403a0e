import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { SluiceError } from '../../../runtime/index.js';
import type { RouteSink } from '../../route/route-parts.js';
import type { Router } from '../../route/router/router.js';
import { type EventStreams, STREAM_HEADERS } from '../events/event-streams.js';
import type { Rates } from '../events/rates.js';
import type { PluginBoard } from '../plugins/plugin-board.js';
import type { Changed, PluginChanges } from '../plugins/plugin-changes.js';
import { PluginView, RouteView, SinkView, SourceView, VersionView } from '../schemas/schemas.js';
import { NO_CONTENT, type Operation, type Resource } from '../server/resource.js';
import { routeViews, type SourceParts, sinkViews, sourceViews } from './views.js';

/** Names of headers come in lower case. */
const SIGNATURE_HEADER = 'sluice-signature';

export interface V1Parts {
  readonly board: PluginBoard;
  readonly changes: PluginChanges;
  readonly rates: Rates;
  readonly streams: EventStreams;
  readonly router: Router;
  readonly sources: ReadonlyMap<string, SourceParts>;
  readonly sinks: ReadonlyMap<string, RouteSink>;
  readonly version: VersionView;
}

/** What is under /v1. */
export function v1Resources(parts: V1Parts): Resource[] {
  const { board, changes, rates, streams, router, sources, sinks, version } = parts;
  return [
    { path: '/v1/version', operations: { GET: read('Versions.', VersionView, () => version) } },
    {
      path: '/v1/plugins',
      policed: true,
      operations: {
        GET: read('All plugins.', Type.Object({ plugins: Type.Array(PluginView) }), async () => ({
          plugins: await board.list(),
        })),
      },
    },
    {
      path: '/v1/plugins/:name',
      policed: true,
      operations: {
        GET: read('One plugin.', PluginView, request => known(board, nameIn(request))),
        PUT: {
          ...change('Uploads a version and swaps it in.', (name, request) => {
            const { 'content-length': length, 'content-encoding': coding } = request.headers;
            const signatures = request.headers[SIGNATURE_HEADER];
            const body = {
              stream: request.raw,
              announced: length === undefined ? undefined : Number(length),
              coding,
              signatures: signatures === undefined ? undefined : String(signatures),
            };
            return changes.upload(name, body, request.ip);
          }),
          body: ['application/wasm'],
          headers: {
            'Sluice-Signature':
              'The text of NAME.wasm.sig, with commas in place of ends of lines; asked for where plugins have to be signed.',
          },
        },
        DELETE: change('Removes the file; frames of its routes wait.', (name, { ip }) =>
          changes.remove(name, ip),
        ),
      },
    },
    action('enable', 'Lets it run again.', (name, { ip }) => changes.enable(name, ip)),
    action('disable', 'Stops it, also over restarts; frames of its routes wait.', (name, { ip }) =>
      changes.disable(name, ip),
    ),
    action('rollback', 'Brings the version before this one back.', (name, { ip }) =>
      changes.rollback(name, ip),
    ),
    action('reset', 'Counts faults from nothing and starts it afresh.', (name, { ip }) =>
      changes.reset(name, ip),
    ),
    {
      path: '/v1/routes',
      operations: {
        GET: read('All routes.', Type.Object({ routes: Type.Array(RouteView) }), () => ({
          routes: routeViews(router, sinks),
        })),
      },
    },
    {
      path: '/v1/sources',
      operations: {
        GET: read('All sources.', Type.Object({ sources: Type.Array(SourceView) }), () => ({
          sources: sourceViews(sources, rates),
        })),
      },
    },
    {
      path: '/v1/sinks',
      operations: {
        GET: read('All sinks.', Type.Object({ sinks: Type.Array(SinkView) }), () => ({
          sinks: sinkViews(sinks, rates),
        })),
      },
    },
    {
      path: '/v1/events',
      policed: true,
      operations: {
        GET: {
          summary: 'What happens from now on, as server-sent events.',
          answers: { 200: 'text/event-stream' },
          streams: STREAM_HEADERS,
          run: (request, reply) => {
            streams.mustHaveRoom();
            reply.hijack();
            if (request.method === 'HEAD') reply.raw.writeHead(200).end();
            else streams.add(reply.raw);
          },
        },
      },
    },
  ];
}

function read(summary: string, schema: Type.TSchema, run: Operation['run']): Operation {
  return { summary, answers: { 200: schema }, run };
}

type Change = (name: string, request: FastifyRequest) => Promise<Changed>;

function change(summary: string, run: Change): Operation {
  return {
    summary,
    answers: { 200: PluginView, 201: PluginView, 202: PluginView, 204: NO_CONTENT },
    run: async (request: FastifyRequest, reply: FastifyReply) => {
      const { status, plugin } = await run(nameIn(request), request);
      return plugin === undefined ? reply.code(204).send() : reply.code(status).send(plugin);
    },
  };
}

function action(what: string, summary: string, run: Change): Resource {
  return { path: `/v1/plugins/:name/${what}`, policed: true, operations: { POST: change(summary, run) } };
}

/**
 * Files that are no plugins go by the names of their files, so this is wider than the names of plugins.
 * @throws SluiceError SLUICE_PLUGIN_NAME
 */
function nameIn(request: FastifyRequest): string {
  const { name } = request.params as { name: string };
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return name;
  throw new SluiceError('SLUICE_PLUGIN_NAME', 'the name in the path cannot be that of a plugin');
}

async function known(board: PluginBoard, name: string): Promise<PluginView> {
  const view = await board.get(name);
  if (view !== undefined) return view;
  throw new SluiceError('SLUICE_ADMIN_PLUGIN', `there is no plugin ${name}`);
}
