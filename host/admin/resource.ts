import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { SluiceError } from '../../runtime/index.js';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'] as const;
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One thing that can be done under a path; what it answers is in the OpenAPI document. */
export interface Operation {
  readonly summary: string;
  /** Schema of the answer, by status. */
  readonly answers: Readonly<Record<number, TSchema | string>>;
  readonly open?: boolean;
  readonly body?: string;
  /** Parameters behind the `?`, each with what it is for; none has to be given. */
  readonly query?: Readonly<Record<string, string>>;
  /** What each header of the request says, if it is there. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly run: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

export interface Resource {
  /** With `:name` for parameters. */
  readonly path: string;
  readonly operations: Readonly<Partial<Record<Method, Operation>>>;
}

/** Registers what is there, and an answer for the methods that are not. */
export function addResource(server: FastifyInstance, { path, operations }: Resource): void {
  const taken = Object.keys(operations) as Method[];
  for (const method of taken) {
    const { run } = operations[method] as Operation;
    server.route({ method, url: path, handler: (request, reply) => run(request, reply) });
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
