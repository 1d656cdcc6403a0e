import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { SluiceError } from '../../../runtime/index.js';
import type { HeaderPolice } from './header-police.js';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'] as const;
/** Bodies that handlers read themselves, as they come. */
export const BODY_TYPES = ['application/wasm', 'application/yaml', 'application/json'];
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** The answer of an operation that has no body. */
export const NO_CONTENT = '';

/** One thing that can be done under a path; what it answers is in the OpenAPI document. */
export interface Operation {
  readonly summary: string;
  /** Schema or media type of the answer, by status. */
  readonly answers: Readonly<Record<number, TSchema | string>>;
  readonly open?: boolean;
  /** Types of the body that it takes, the first one in its description. */
  readonly body?: readonly string[];
  /** Parameters behind the `?`, each with what it is for; none has to be given. */
  readonly query?: Readonly<Record<string, string>>;
  /** What each header of the request says, if it is there. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers of an answer that is written as it comes, past the framework. */
  readonly streams?: Readonly<Record<string, string>>;
  readonly run: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

export interface Resource {
  /** With `:name` for parameters. */
  readonly path: string;
  /** True: about plugins, so that the policy holds for the headers of requests and answers. */
  readonly policed?: boolean;
  readonly operations: Readonly<Partial<Record<Method, Operation>>>;
}

/** Registers what is there, and an answer for the methods that are not. */
export function addResource(server: FastifyInstance, resource: Resource, police: HeaderPolice): void {
  const { path, operations, policed = false } = resource;
  const taken = Object.keys(operations) as Method[];
  for (const method of taken) {
    const { run, streams, body = [] } = operations[method] as Operation;
    server.route({
      method,
      url: path,
      // Before the body is looked at.
      onRequest: async request => {
        mustBeOfType(request, body);
        if (policed) await police.request(request);
        if (policed && streams !== undefined) police.stream(streams);
      },
      ...(policed ? { onSend: async (_request, reply, payload) => police.response(reply, payload) } : {}),
      handler: (request, reply) => run(request, reply),
    });
  }
  const allowed: string[] = taken.includes('GET') ? [...taken, 'HEAD'] : taken;
  const others = METHODS.filter(method => !allowed.includes(method));
  const allow = allowed.join(', ');
  server.route({
    method: others,
    url: path,
    // Before the body is looked at.
    onRequest: (request, reply) => {
      reply.header('allow', allow);
      throw new SluiceError('SLUICE_ADMIN_METHOD', `${request.method} is not among ${allow}`);
    },
    handler: () => undefined,
  });
}

/** @throws SluiceError SLUICE_ADMIN_TYPE: the body is of a type that something else takes, but not this */
function mustBeOfType({ headers }: FastifyRequest, taken: readonly string[]): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === undefined || !BODY_TYPES.includes(type) || taken.includes(type)) return;
  throw new SluiceError('SLUICE_ADMIN_TYPE', `${type} is not taken here`);
}
